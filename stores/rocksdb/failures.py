"""RocksDB's errors as ours: rocksdict raises plain `Exception` with RocksDB's status text."""

from __future__ import annotations

from typing import Final

from rocksdict import DbClosedError

from stores.errors import StateFullError, StateLockedError, StoreClosedError, StoreCorruptError, StoreError

# What rocksdict's binding says to a reader while another thread is inside `close`.
BEING_CLOSED: Final = "Already mutably borrowed"

NO_SPACE: Final = "No space left on device"


def translated(error: Exception, place: str) -> Exception:
    """The error to raise for `error`, which came out of rocksdict; any other error is not ours and stays as it is."""
    if isinstance(error, DbClosedError) or str(error) == BEING_CLOSED:
        return StoreClosedError(place)
    if type(error) is not Exception:
        return error
    text = str(error)
    if "/LOCK: " in text:  # held in this process, or refused by the system because another one holds it
        return StateLockedError(place, text)
    if NO_SPACE in text:
        return StateFullError(place, text)
    if text.startswith("Corruption") or "No such file" in text:
        return StoreCorruptError(place, text)
    return StoreError(f"RocksDB failed in {place}: {text}")
