"""What a task measures of itself: a batch at a time, or by samples where only a record can tell."""

from __future__ import annotations

from streams.observe.counters import Counters
from streams.observe.meter import Meter


class InputMeters:
    """One input partition of a task. `now`: s."""

    __slots__ = ("consumed", "counted", "e2e", "end", "process", "sample_at")

    def __init__(self, now: float) -> None:
        self.consumed = 0
        """Records that were processed; watermarks of repartition topics count too."""
        self.counted = 0
        """Those of them that `process` knows of."""
        self.process = Meter(now)
        self.e2e = Meter(now)
        """Sampled records; they amount to ms from the record's timestamp to the end of its processing."""
        self.end: int | None = None
        """The partition's end as the client last heard, None before that."""
        self.sample_at = 0


class TaskMeters:
    """Written by the stream thread, read by anybody. `now`: s. Amounts are seconds if nothing else is said."""

    __slots__ = ("cache_bytes", "commit", "drop", "lateness", "process", "punctuate", "restore", "waiting")

    def __init__(self, now: float) -> None:
        self.process = Meter(now)
        """Records."""
        self.punctuate = Meter(now)
        self.commit = Meter(now)
        self.restore = Meter(now)
        """Records of changelogs."""
        self.drop = Meter(now)
        """Records that were dropped or skipped."""
        self.lateness = Meter(now)
        """Sampled records; they amount to ms behind the largest timestamp of their partition."""
        self.waiting: dict[str, tuple[Meter, Meter]] = {}
        """Buffer store -> samples, which amount to the records that wait in it, and to their bytes."""
        self.cache_bytes = 0
        """Rows that are kept decoded, dirty and clean, in bytes as they are estimated."""

    def count(self, counters: Counters, now: float) -> None:
        """Takes over what was counted since the last call."""
        for meter, total in ((self.drop, counters.dropped_or_skipped), (self.restore, counters.restored)):
            if total > meter.total:
                meter.record(total - meter.total, 0.0, now)

    def count_input(self, meters: InputMeters, now: float) -> None:
        """The same of an input."""
        if meters.consumed > meters.counted:
            meters.process.record(meters.consumed - meters.counted, 0.0, now)
            meters.counted = meters.consumed

    def count_waiting(self, store: str, records: int, size_bytes: int, now: float) -> None:
        """A sample of what waits in a buffer."""
        meters = self.waiting.get(store)
        if meters is None:
            meters = self.waiting[store] = (Meter(now), Meter(now))
        meters[0].record(1, records, now)
        meters[1].record(1, size_bytes, now)
