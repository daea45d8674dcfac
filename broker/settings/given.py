"""What was set somewhere, under the name and in the form that stand there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from broker.server.listener import Listener
from broker.settings.errors import SettingError
from broker.settings.kafka_properties import PATHS, settings_by_kafka_name
from broker.settings.properties_file import read_properties
from broker.settings.setting import SETTINGS_PREFIX, Setting, settings, settings_of
from broker.settings.table import flattened, rebased


@dataclass(frozen=True, slots=True)
class Given:
    """One setting of one place. `name` is a setting's, a Kafka property's, or a topic config's."""

    name: str
    value: object
    place: str
    """For messages and `--show-settings`: a flag, a variable, a file."""
    exposed: bool = False
    """On a command line, where whoever lists the processes sees it."""


def from_assignments(assignments: Iterable[str], flag: str = "--set") -> Iterator[Given]:
    """`name=value` texts. Raises SettingError."""
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"{flag} {text}: expected NAME=VALUE, such as {flag} log.retention.ms=60000")
        yield Given(name.strip(), value.strip(), flag, exposed=True)


def from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """`HEADRACE_BROKER_<NAME>`; a name that is no setting's is that of a Kafka property, with underscores for dots."""
    by_variable = {setting.variable: name for name, setting in settings().items()}
    for variable in sorted(environ):
        if variable.startswith(SETTINGS_PREFIX):
            name = variable.removeprefix(SETTINGS_PREFIX).lower().replace("_", ".")
            yield Given(by_variable.get(variable, name), environ[variable], variable)


def from_table(table: Mapping[str, Any], path: Path) -> Iterator[Given]:
    """The table `[broker]` of the file at `path`, where a dotted name has become tables in tables; paths in it are
    relative to the file's directory."""
    for name, value in flattened(table, settings()):
        yield Given(name, of_file(name, value, settings(), path.parent), str(path))


def of_file(name: str, value: object, known: Mapping[str, Setting], directory: Path) -> object:
    setting = known.get(name) or known.get(settings_by_kafka_name().get(name, ""))
    if name in PATHS or (setting is not None and setting.path):
        return rebased(value, directory)
    if isinstance(value, list):  # of tables
        parts = settings_of(Listener)
        return [
            {
                key: of_file(key, each, parts, directory)
                for key, each in flattened(cast("Mapping[str, Any]", one), parts)
            }
            if isinstance(one, Mapping)
            else one
            for one in cast("list[object]", value)
        ]
    return value


def from_properties(path: Path) -> Iterator[Given]:
    """A Java properties file, such as Kafka's server.properties. Raises SettingError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"cannot read {os.fspath(path)}: {reason}") from error
    for line, name, value in read_properties(text):
        yield Given(name, value, f"{path}:{line}")
