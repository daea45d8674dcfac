"""What becomes of a read whose partition goes away, or whose rows are of another type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stores import RowDecodeError, StoreClosedError
from streams.query.catalog import Entry
from streams.query.problem import Moving, Unreadable

T = TypeVar("T")


def reading(entry: Entry, read: Callable[[], T]) -> T:
    """What `read` returns. Raises Moving or Unreadable in place of what stores raise."""
    try:
        return read()
    except StoreClosedError as error:
        raise Moving(
            f"a partition of store {entry.name!r} is just moving to another worker: ask again", store=entry.name
        ) from error
    except RowDecodeError as error:
        raise Unreadable(str(error), store=entry.name) from error
