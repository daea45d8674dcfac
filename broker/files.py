"""Small files that are either old or new, never torn; and those whose damage is noticed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker.protocol.checksum import crc32c

CHECKSUM = "crc32c"


class DamagedFileError(Exception):
    """A small file does not hold what was written to it; the message names it."""


def write_atomically(path: Path, content: bytes, *, durable: bool, mode: int | None = None) -> None:
    """Replaces a file by rename. With `durable` it survives the loss of power, without only the process's death.
    `mode`: its permissions, from before the first byte is in it; None: the usual ones."""
    temporary = path.with_name(".writing.tmp")  # not from the name: that may be as long as names can be
    with open(temporary, "wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    os.replace(temporary, path)
    if durable:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Makes names created, renamed or removed in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_fields(path: Path, fields: Mapping[str, Any], *, durable: bool) -> None:
    """Replaces a file by a JSON object with a checksum of its other fields. Raises OSError."""
    write_atomically(path, json.dumps({**fields, CHECKSUM: fields_checksum(fields)}).encode(), durable=durable)


def read_fields(path: Path) -> dict[str, Any]:
    """What `write_fields` wrote. Raises FileNotFoundError, OSError, DamagedFileError."""
    content = path.read_bytes()
    try:
        fields = json.loads(content)
        found = fields.pop(CHECKSUM)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFileError(f"{path}: not a JSON object with a checksum") from error
    if found != fields_checksum(fields):
        raise DamagedFileError(f"{path}: wrong checksum")
    return fields


def fields_checksum(fields: Mapping[str, Any]) -> int:
    return crc32c(json.dumps(fields, sort_keys=True).encode())
