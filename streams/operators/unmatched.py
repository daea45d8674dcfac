"""The records of a left or outer join of streams that have met none of the other side so far."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

from stores import TimeBuffer, Waiting
from streams.compile.clock import NEVER

RIGHT: Final = 0
LEFT: Final = 1
"""Lanes of the buffer, in the order in which records of one time come out."""

JoinRow = tuple[int, int, Any]
"""(time, rank, row) of a record that a side's store keeps."""


class Unmatched:
    """What waits in a buffer until time has passed each record's window and grace. Owned by the task.

    `waits`: by lane, how long after its own time a record can still be met, ms.
    """

    __slots__ = ("_buffer", "_waits")

    def __init__(self, buffer: TimeBuffer, waits: tuple[int, int]) -> None:
        self._buffer = buffer
        self._waits = waits

    def due(self) -> int:
        """When the first record is due, `NEVER` if none waits."""
        buffer = self._buffer
        times = ((buffer.earliest(lane), wait) for lane, wait in enumerate(self._waits))
        return min((time + wait + 1 for time, wait in times if time is not None), default=NEVER)

    def take(self, now: int) -> Waiting | None:
        """Takes out the first of those that are due: by time, then right before left, then key bytes."""
        buffer = self._buffer
        firsts = ((buffer.first(lane), wait) for lane, wait in enumerate(self._waits))
        earliest = min((first for first, wait in firsts if first and first.time + wait < now), default=None)
        return None if earliest is None else buffer.take(earliest.time, earliest.lane)

    def meet(
        self,
        lane: int,
        key: bytes,
        time: int,
        found: Sequence[JoinRow],
        kept: Sequence[JoinRow],
        visible: int,
        reach: tuple[int, int],
    ) -> bool:
        """Takes out of a lane the records in `found`, which a record of the other side at `time` meets; whether nothing
        waits any more because of that.

        Most of them have been met before, and the rows that the record's own side keeps of the key tell which: its
        neighbours in time met all they reach when they came, or when those came. Only what lies between the reaches of
        the neighbours can be waiting.

        Args:
            found: what it meets, by time; not empty.
            kept: the rows of its own side, itself among them if it is kept, by time.
            visible: rows of its own side before this time do not count: others did not find them.
            reach: how far back and ahead a record of its side meets others, ms.
        """
        buffer = self._buffer
        back, ahead = reach
        at = bisect_left(kept, (time,))
        after = bisect_left(kept, (time + 1,), at)
        if after - at > 1 and time >= visible:
            return False  # another one of the same time met the same records
        low, high = found[0][0], found[-1][0]
        if at and kept[at - 1][0] >= visible:
            low = max(low, kept[at - 1][0] + ahead + 1)
        if after < len(kept) and kept[after][0] >= visible:
            high = min(high, kept[after][0] - back - 1)
        if low > high:
            return False
        removed = False
        for moment in {row[0] for row in found if low <= row[0] <= high}:
            removed = bool(buffer.remove(moment, key, lane)) or removed
        return removed and not buffer.count
