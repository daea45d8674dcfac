"""Tables of TOML: names with dots that have become tables in tables, and paths that are relative to the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from broker.security.tls import PEM_MARK
from broker.settings.setting import Setting


def flattened(table: Mapping[str, Any], known: Mapping[str, Setting], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Names with dots again; a setting that is a mapping keeps its table as one value."""
    for key, value in table.items():
        name = prefix + key
        if not isinstance(value, Mapping):
            yield name, value
        elif name in known and known[name].mapping:
            yield name, dict(from_nested(cast("Mapping[str, Any]", value)))
        else:
            yield from flattened(cast("Mapping[str, Any]", value), known, f"{name}.")


def from_nested(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from from_nested(cast("Mapping[str, Any]", value), f"{prefix}{key}.")
        else:
            yield prefix + key, value


def rebased(value: object, directory: Path) -> object:
    """A path, from the directory on; texts that are none stay as they are."""
    if not isinstance(value, str) or not value or PEM_MARK in value or "://" in value:
        return value
    return str(directory / Path(value).expanduser())
