"""Which part of a log can be cleaned now, and how much it is in need of it.

Source: `LogCleanerManager.grabFilthiestCompactedLog`, `cleanableOffsets`, `LogToClean` of Apache Kafka.
"""

from __future__ import annotations

from dataclasses import dataclass

from broker.log.aborted import AbortedTransaction
from broker.log.cleaner_offset import read_cleaner_offset
from broker.log.partition import PartitionLog
from broker.log.segment import Segment


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A log with something to clean."""

    log: PartitionLog
    segments: list[Segment]
    """From the log's first on; the last ones of them are dirty."""
    end_offset: int
    first_dirty: int
    clean_bytes: int
    dirty_bytes: int
    overdue: bool
    """A record has waited for longer than `max.compaction.lag.ms`."""

    @property
    def dirty_ratio(self) -> float:
        return self.dirty_bytes / (self.clean_bytes + self.dirty_bytes)

    @property
    def aborted(self) -> tuple[AbortedTransaction, ...]:
        """The aborted transactions that have records in these segments; all of those are decided."""
        return tuple(self.log.aborted.overlapping(self.segments[0].base_offset, self.end_offset))

    @property
    def due(self) -> bool:
        return self.overdue or self.dirty_ratio > self.log.config.min_cleanable_dirty_ratio


def read_first_dirty(log: PartitionLog) -> int:
    """The first offset that was never cleaned; the log's start where that is not known or cannot be."""
    offset = read_cleaner_offset(log.directory)
    # Beyond the active segment's start: the log was cut off in a recovery, and offsets were given out anew.
    return offset if log.start_offset <= offset <= log.active.base_offset else log.start_offset


def candidate(log: PartitionLog, first_dirty: int, now_ms: int) -> Candidate | None:
    """What could be cleaned of a compacted log; None if that is nothing. Raises OSError.

    Segments can be cleaned that are sealed, wholly decided, and, where dirty, older than `min.compaction.lag.ms`.
    """
    config = log.config
    bound = log.stable.offset
    found: list[Segment] = []
    clean = dirty = 0
    end_offset = log.start_offset
    oldest = now_ms
    for segment, following in zip(log.segments, log.segments[1:]):
        if following.base_offset > bound:
            break
        if following.base_offset <= first_dirty:
            clean += segment.size
        else:
            if config.min_compaction_lag_ms and segment.age_from() > now_ms - config.min_compaction_lag_ms:
                break
            dirty += segment.size
            oldest = min(oldest, segment.first_timestamp if segment.first_timestamp >= 0 else segment.age_from())
        found.append(segment)
        end_offset = following.base_offset
    if not dirty:
        return None
    overdue = oldest < now_ms - config.max_compaction_lag_ms
    return Candidate(log, found, end_offset, first_dirty, clean, dirty, overdue)
