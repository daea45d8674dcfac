"""Segments of a long history, as they are when nobody has moved the clock or a watermark holds it back."""

from __future__ import annotations

from typing import Any

from stores import WindowSpec
from stores.segments import Segments
from stores.table import Cursor, Pair, Table
from stores.timed_keys import WINDOW_KEYS
from tests.stores.backends import JSON, Backend

SEGMENT_MS = 30
SEGMENTS = 400
SPEC = WindowSpec("long", JSON, size_ms=10, retention_ms=10**9, segment_ms=SEGMENT_MS)
RARE_EVERY = 40


class Watched:
    """A table that counts the scans."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.scans = 0

    def get(self, key: bytes) -> bytes | None:
        return self._table.get(key)

    def first(self, lower: bytes) -> Pair | None:
        return self._table.first(lower)

    def scan(self, lower: bytes, upper: bytes | None, *, reverse: bool = False) -> Cursor:
        self.scans += 1
        return self._table.scan(lower, upper, reverse=reverse)

    def approximate_entries(self) -> int:
        return self._table.approximate_entries()


def history(backend: Backend) -> Table:
    """A row of `common` in each segment but every tenth, which is empty, and one of `rare` now and then."""
    state: Any = backend.open([SPEC])
    store = state.stores["long"]
    for segment in range(SEGMENTS):
        if segment % 10:
            store.put(b"common", segment * SEGMENT_MS, (segment, 0))
        if segment % RARE_EVERY == 7:
            store.put(b"rare", segment * SEGMENT_MS + 1, (segment, 0))
            store.put(b"rarest", segment * SEGMENT_MS + 2, (segment, 0))
    state.commit({})
    return store._segments.table


def test_rare_key_in_a_long_history_is_found_by_a_scan_for_each_segment_it_is_in(backend: Backend) -> None:
    table = Watched(history(backend))
    segments = Segments(table, WINDOW_KEYS, SEGMENT_MS)
    table.scans = 0
    found = [time for time, _, _ in segments.rows_of(b"rare", 0, SEGMENTS * SEGMENT_MS)]
    assert found == [segment * SEGMENT_MS + 1 for segment in range(7, SEGMENTS, RARE_EVERY)]
    assert table.scans == len(found)


def test_first_row_is_that_of_the_key_or_the_next_one(backend: Backend) -> None:
    table = history(backend)
    rows = [local for local, _ in table.scan(b"", None)]
    for place in (0, 5, len(rows) - 1):
        for lower in (rows[place], rows[place][:-1]):
            first = table.first(lower)
            assert first is not None
            assert first == next(iter(table.scan(lower, None)))
    assert table.first(rows[-1] + b"\x00") is None
