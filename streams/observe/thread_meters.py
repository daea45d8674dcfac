"""What a stream thread measures of itself, once for each turn of its loop."""

from __future__ import annotations

from streams.observe.meter import Meter


class ThreadMeters:
    """Written by the stream thread, read by anybody. `now`: s of the thread's clock. Amounts are seconds if nothing
    else is said."""

    __slots__ = (
        "assigned_at",
        "began",
        "closed",
        "commit",
        "created",
        "poll",
        "poll_records",
        "process",
        "process_records",
        "punctuate",
        "rebalances",
        "restore",
    )

    def __init__(self, now: float) -> None:
        self.began = now
        self.poll = Meter(now)
        self.poll_records = Meter(now)
        """Polls; they amount to records."""
        self.process = Meter(now)
        """Records."""
        self.process_records = Meter(now)
        """Turns in which records were processed; they amount to records."""
        self.punctuate = Meter(now)
        self.commit = Meter(now)
        """Tasks that were committed."""
        self.created = Meter(now)
        """Tasks."""
        self.closed = Meter(now)
        """Tasks."""
        self.restore = Meter(now)
        """Records of changelogs."""
        self.rebalances = 0
        self.assigned_at = now
        """When the group last said which tasks are the thread's."""
