"""What was set somewhere, under the name and in the form that stand there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from broker.settings.errors import SettingError
from broker.settings.properties_file import read_properties
from broker.settings.setting import SETTINGS_PREFIX, settings


@dataclass(frozen=True, slots=True)
class Given:
    """One setting of one place. `name` is a setting's, a Kafka property's, or a topic config's."""

    name: str
    value: object
    place: str
    """For messages and `--show-settings`: a flag, a variable, a file."""


def from_assignments(assignments: Iterable[str], flag: str = "--set") -> Iterator[Given]:
    """`name=value` texts. Raises SettingError."""
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"{flag} {text}: expected NAME=VALUE, such as {flag} log.retention.ms=60000")
        yield Given(name.strip(), value.strip(), flag)


def from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """`HEADRACE_BROKER_<NAME>`; a name that is no setting's is that of a Kafka property, with underscores for dots."""
    for variable in sorted(environ):
        if variable.startswith(SETTINGS_PREFIX):
            name = variable.removeprefix(SETTINGS_PREFIX).lower()
            yield Given(name if name in settings() else name.replace("_", "."), environ[variable], variable)


def from_table(table: Mapping[str, Any], path: Path) -> Iterator[Given]:
    """The table `[broker]` of the file at `path`, where a dotted name has become tables in tables; paths in it are
    relative to the file's directory."""
    for name, value in flattened(table):
        setting = settings().get(name)
        if setting is not None and setting.required_type is Path and isinstance(value, str):
            value = str(path.parent / Path(value).expanduser())
        yield Given(name, value, str(path))


def flattened(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Names with dots again; a setting that is a mapping keeps its table as one value."""
    for key, value in table.items():
        name = prefix + key
        if not isinstance(value, Mapping):
            yield name, value
        elif not prefix and name in settings() and settings()[name].mapping:
            yield name, dict(from_nested(cast("Mapping[str, Any]", value)))
        else:
            yield from flattened(cast("Mapping[str, Any]", value), f"{name}.")


def from_nested(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from from_nested(cast("Mapping[str, Any]", value), f"{prefix}{key}.")
        else:
            yield prefix + key, value


def from_properties(path: Path) -> Iterator[Given]:
    """A Java properties file, such as Kafka's server.properties. Raises SettingError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"cannot read {os.fspath(path)}: {reason}") from error
    for line, name, value in read_properties(text):
        yield Given(name, value, f"{path}:{line}")
