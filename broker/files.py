"""Small files that are either old or new, never torn."""

from __future__ import annotations

import os
from pathlib import Path


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
