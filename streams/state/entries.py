"""Iterators over a store's entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from stores import Scan

Item = TypeVar("Item", covariant=True)


class Entries(Generic[Item]):
    """An iterator and a context manager. Leave it by its end or by its `with` block: either frees what is beneath it.

    It shows the store as it was when it was asked for; the loop may write.
    """

    __slots__ = ("_items", "_scan")

    def __init__(self, scan: Scan[Any], read: Callable[[Any], Item]) -> None:
        self._scan = scan
        self._items = map(read, scan)

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
        """Ends the iteration. Closing twice is harmless."""
        self._scan.close()
        self._items: Iterator[Item] = iter(())
