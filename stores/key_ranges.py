"""Ranges of keys. Bounds of bytes: lower inclusive, upper exclusive, None for no upper bound."""

from __future__ import annotations

from abc import abstractmethod

from stores.row import Row
from stores.scan import Scan


def after(key: bytes) -> bytes:
    """The smallest key larger than `key`: the exclusive form of an inclusive end."""
    return key + b"\x00"


def after_prefix(prefix: bytes) -> bytes | None:
    """The smallest key larger than all keys that begin with `prefix`; None if there is none (empty, or all 0xff)."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


class KeyRanges:
    """Range, prefix and all, of whatever has rows by key and can scan between two bounds. Rows come in byte order of
    keys, those of a store with what is not committed yet."""

    __slots__ = ()

    def range(self, start: bytes | None, end: bytes | None, *, reverse: bool = False) -> Scan[tuple[bytes, Row]]:
        """Rows with start <= key <= end, both inclusive as in Kafka Streams; None leaves an end open."""
        return self._between(start or b"", None if end is None else after(end), reverse)

    def prefix(self, prefix: bytes, *, reverse: bool = False) -> Scan[tuple[bytes, Row]]:
        """Rows whose key begins with `prefix`."""
        return self._between(prefix, after_prefix(prefix), reverse)

    def all(self, *, reverse: bool = False) -> Scan[tuple[bytes, Row]]:
        """All rows."""
        return self._scan(b"", None, reverse)

    def _between(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        if upper is not None and upper <= lower:
            return Scan(iter(()))
        return self._scan(lower, upper, reverse)

    @abstractmethod
    def _scan(self, lower: bytes, upper: bytes | None, reverse: bool) -> Scan[tuple[bytes, Row]]:
        """Rows with lower <= key < upper, where lower < upper."""
