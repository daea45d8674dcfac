"""Which sliding windows a record changes or makes, and in which order: the rules, apart from aggregating.

A record at t belongs to every window [start, start + difference] that holds t. The windows of a key that exist are the
left window [r - difference, r] of each record r, and the window [r + 1, …] right after it where that holds a record.
So a record at t

    updates    the windows that hold t already                               start in [t - difference, t]
    makes      the window right after the latest earlier record              if it reaches t
               its own left window, from what is in the next older one       if its newest record is near enough
               its own right window, a copy of what follows t so far         if something does

A row's timestamp is that of its newest record, which is all the rules need.
Source: `KStreamSlidingWindowAggregate`, `processReverse` and `processEarly`.
"""

from __future__ import annotations

from typing import NamedTuple

from stores import KeyedWindowStore, Row, ValueCodec
from streams.serde.immutable import SCALARS


class SlidingUpdate(NamedTuple):
    """One window to be put: from `row` (None: from nothing), with the record folded in or as it is; `new` where the
    window was not there before."""

    start: int
    row: Row | None
    folds: bool
    new: bool


class SlidingUpdates:
    """The windows of one store. A row that is used for a second window is copied by its codec, so that an aggregator
    which changes its aggregate in place does not change both."""

    __slots__ = ("_codec", "_difference", "_rows_of")

    def __init__(self, store: KeyedWindowStore, difference_ms: int, codec: ValueCodec) -> None:
        self._rows_of = store.rows_of
        self._difference = difference_ms
        self._codec = codec

    def __call__(self, key: bytes, ts: int, first: int) -> list[SlidingUpdate]:
        """What a record of `key` at `ts` does, in order, to windows that start at `first` or later: ts - 2 difference,
        or what the store still knows. Closed windows are not told apart here."""
        difference = self._difference
        rows = self._rows_of(key, first, ts + 1)
        if ts < difference:
            return self._early(rows, ts)
        updates: list[SlidingUpdate] = []
        starts: set[int] = set()
        left_exists = right_exists = False
        following: Row | None = None  # the newest window that holds ts
        older: Row | None = None  # the newest window that ended before ts
        previous: int | None = None  # the latest earlier record
        for start, _, row in reversed(rows):
            starts.add(start)
            if start > ts:
                right_exists = True
                continue
            end = start + difference
            if end < ts:
                older, previous = row, row[1]
                break
            if following is None:
                following = row
            updates.append(SlidingUpdate(start, row, folds=True, new=False))
            if end == ts:
                left_exists = True
                if row[1] == ts:  # there was a record at ts before: all windows about it exist
                    return updates
                previous = row[1]
        if previous is not None and previous + 1 not in starts and previous + 1 + difference >= ts:
            updates.append(SlidingUpdate(previous + 1, None, folds=True, new=True))
        if not left_exists:
            near = older is not None and older[1] >= ts - difference
            updates.append(SlidingUpdate(ts - difference, self._copy(older) if near else None, folds=True, new=True))
        if not right_exists and following is not None and following[1] > ts:
            updates.append(SlidingUpdate(ts + 1, self._copy(following), folds=False, new=True))
        return updates

    def _early(self, rows: list[tuple[int, int, Row]], ts: int) -> list[SlidingUpdate]:
        """For a record younger than one difference: left windows do not start before 0, so the window from 0 on
        stands in for all of them."""
        updates: list[SlidingUpdate] = []
        starts: set[int] = set()
        first: Row | None = None  # the window from 0 on
        following: Row | None = None
        for start, _, row in rows:
            starts.add(start)
            if start == 0:
                first = row
            elif start <= ts:
                following = row
                updates.append(SlidingUpdate(start, row, folds=True, new=False))
        if following is None and first is not None and first[1] > ts:
            following = first
        if ts + 1 not in starts and following is not None and following[1] > ts:
            updates.append(SlidingUpdate(ts + 1, self._copy(following), folds=False, new=True))
        if first is not None and first[1] < ts and first[1] + 1 not in starts:
            updates.append(SlidingUpdate(first[1] + 1, None, folds=True, new=True))
        updates.append(SlidingUpdate(0, first, folds=True, new=first is None))
        return updates

    def _copy(self, row: Row | None) -> Row | None:
        if row is None or type(row[0]) in SCALARS:
            return row
        return self._codec.decode(self._codec.encode(row[0])), row[1]
