"""The settings file of a project: `headrace.toml`, or the table `[tool.headrace]` of its `pyproject.toml`.

    bootstrap_servers = "kafka-1:9092,kafka-2:9092"
    processing_guarantee = "at_least_once"
    commit_interval = 0.5                       # durations are seconds, or ISO 8601 ("PT0.5S")

    [client_config]
    security.protocol = "sasl_ssl"

    [broker]                                    # of `headrace broker`: its settings, or Kafka's names
    log.retention.hours = 24

It is the nearest one, looked for in the working directory and then in each directory above it; `HEADRACE_CONFIG` names
another, which then has to be there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from streams.errors import ConfigError

PREFIX = "HEADRACE_"
"""Of variables that set something."""
FILE_VARIABLE = PREFIX + "CONFIG"
FILE_NAME = "headrace.toml"
PROJECT_FILE = "pyproject.toml"
BROKER_TABLE = "broker"
"""The table of the bundled broker's settings, which `headrace broker` reads; applications pass it over."""


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a file sets: the values by the settings' names, `client_config` with the properties' own names."""

    path: Path
    values: Mapping[str, Any]


def find_settings_file(environ: Mapping[str, str], start: Path) -> SettingsFile | None:
    """The file that counts for a process in `start`.

    Raises:
        ConfigError: it is not TOML, or the one that is named does not exist.
    """
    named = environ.get(FILE_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigError(f"{FILE_VARIABLE} names {named!r}, which is not a file", setting=FILE_VARIABLE)
        return _read(path) or SettingsFile(path, {})
    for directory in (start, *start.parents):
        for name in (FILE_NAME, PROJECT_FILE):
            found = _read(directory / name) if (directory / name).is_file() else None
            if found is not None:
                return found
    return None


def read_settings_file(path: Path) -> SettingsFile:
    """A file that was named.

    Raises:
        ConfigError: it is not TOML or cannot be read.
    """
    return _read(path) or SettingsFile(path, {})


def _read(path: Path) -> SettingsFile | None:
    """None for a `pyproject.toml` that says nothing of headrace."""
    try:
        values: Any = _parsed(path.read_bytes())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        if path.name == PROJECT_FILE:
            return None  # whoever the file is for will say so
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if path.name == PROJECT_FILE:
        values = values.get("tool", {}).get("headrace")
        if values is None:
            return None
    values = deepcopy(values)
    for name in ("client_config", "schema_registry_config"):
        if isinstance(values.get(name), dict):
            values[name] = dict(flattened(values[name]))
    return SettingsFile(path, values)


@lru_cache(maxsize=4)
def _parsed(content: bytes) -> Mapping[str, Any]:
    """Kept, as each `App` asks, of which tests make many: to parse a `pyproject.toml` takes a third of the time."""
    return tomllib.loads(content.decode())


def flattened(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names with dots again, where TOML has made tables in tables of them."""
    for name, value in properties.items():
        if isinstance(value, Mapping):
            yield from flattened(cast("Mapping[str, Any]", value), f"{prefix}{name}.")
        else:
            yield prefix + name, value
