"""Scans: iterators over rows that may be closed before their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from stores.errors import RowDecodeError
from stores.row import Row
from stores.table import Cursor

Item = TypeVar("Item", covariant=True)
Entry = TypeVar("Entry")

Change = tuple[bytes, Row | None]
"""A dirty row under its table key; None deletes."""


class Scan(Generic[Item]):
    """An iterator and a context manager. Leaving the `with` block early frees the storage beneath it at once; reading
    to the end does so too. Not to be shared between threads."""

    __slots__ = ("_close", "_items")

    def __init__(self, items: Iterator[Item], close: Callable[[], None] | None = None) -> None:
        self._items = items
        self._close = close

    def __iter__(self) -> Iterator[Item]:
        return self._items

    def __next__(self) -> Item:
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the scan. Closing twice is harmless."""
        if self._close is not None:
            self._close()
        self._items = iter(())


def merged_rows(
    store: str, decode: Callable[[bytes], Row], committed: Cursor, changes: Sequence[Change], *, reverse: bool = False
) -> Iterator[tuple[bytes, Row]]:
    """`merged` for rows of a store. Raises RowDecodeError."""

    def row(key: bytes, local: bytes) -> Row:
        try:
            return decode(local)
        except Exception as error:
            raise RowDecodeError(store, key, error) from error

    return merged(row, committed, changes, reverse=reverse)


def merged(
    decode: Callable[[bytes, bytes], Entry],
    committed: Cursor,
    changes: Sequence[tuple[bytes, Entry | None]],
    *,
    reverse: bool = False,
) -> Iterator[tuple[bytes, Entry]]:
    """Committed rows with dirty ones laid over them, in byte order of their table keys (or its reverse).

    `decode` takes key and row. `changes` is a copy in the same order, None deleting, so the loop that reads may write
    to the store.
    """
    following = iter(changes)
    change = next(following, None)
    for key, local in committed:
        while change is not None and (change[0] > key if reverse else change[0] < key):
            if change[1] is not None:
                yield change[0], change[1]
            change = next(following, None)
        if change is not None and change[0] == key:
            if change[1] is not None:
                yield change[0], change[1]
            change = next(following, None)
            continue
        yield key, decode(key, local)
    while change is not None:
        if change[1] is not None:
            yield change[0], change[1]
        change = next(following, None)
