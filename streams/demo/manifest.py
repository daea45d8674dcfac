"""What a demo directory was loaded with, so that a second run continues it and a different one does not mix in."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from streams.errors import ConfigError

FILE = "demo.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`flights` is the fingerprint of the file the flights come from."""

    flights: str
    partitions: int


def prepare_directory(directory: Path, manifest: Manifest, *, fresh: bool) -> bool:
    """Makes the directory ready for this demo; returns whether an earlier run's data is in it.

    Args:
        fresh: delete what is there first; only a directory that a demo made is ever deleted.

    Raises:
        ConfigError: the directory holds something else, or another demo.
    """
    file = directory / FILE
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory} is not a directory")
    if directory.exists() and any(directory.iterdir()):
        found = _read(file)
        if found is None:
            raise ConfigError(f"{directory} is not empty and was not made by a demo: choose another --dir")
        if fresh:
            shutil.rmtree(directory)
        elif found != manifest:
            raise ConfigError(
                f"{directory} holds a demo of other flights or with {found.partitions} partitions: "
                "use --fresh to delete it, or another --dir"
            )
        else:
            return True
    directory.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode(manifest))
    return False


def _read(file: Path) -> Manifest | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
