"""What a task counts while it works. Plain ints: an increment costs what an attribute store costs."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

COUNTER_HELP: dict[str, str] = {
    "processed": "Records read and run through the topology.",
    "dropped_duplicate": "Records dropped as repetitions by deduplicate.",
    "dropped_late": "Records dropped because their window had closed or their version was too old.",
    "dropped_invalid_timestamp": "Records dropped because their timestamp was negative and the source skips such.",
    "dropped_null_key": "Records dropped because an operator needs a key.",
    "dropped_null_value": "Records dropped because an operator needs a value.",
    "dropped_out_of_order": "Changes of versioned tables that operators ignored because they were not the latest.",
    "skipped_deserialization": "Records skipped because they did not decode and the handler said continue.",
    "skipped_processing": "Records skipped because the user's function failed and the handler said continue.",
    "skipped_serialization": "Records skipped because a result did not encode and the handler said continue.",
    "skipped_production": "Records skipped because the log refused a result and the handler said continue.",
    "dead_lettered_deserialization": "Of the records that did not decode, those that became dead letters.",
    "dead_lettered_processing": "Of the records on which the user's function failed, those that became dead letters.",
    "dead_lettered_serialization": "Of the records whose result did not encode, those that became dead letters.",
    "dead_lettered_production": "Of the records whose result the log refused, those that became dead letters.",
    "changelog_records": "Rows sent to changelog topics.",
    "restored": "Rows read back from changelog topics.",
    "commits": "Commits of the task.",
}
"""Every counter of a task, and what it says to people."""


class SkippedAt:
    """How many records one operator failed on and the handler skipped, and what was said of the last of them."""

    __slots__ = ("last", "records")

    def __init__(self) -> None:
        self.records = 0
        self.last = ""


class Counters:
    """The counters of one task. Written by the stream thread only, read by anybody."""

    __slots__ = (*COUNTER_HELP, "skipped_at")

    processed: int
    dropped_duplicate: int
    dropped_late: int
    dropped_invalid_timestamp: int
    dropped_null_key: int
    dropped_null_value: int
    dropped_out_of_order: int
    skipped_deserialization: int
    skipped_processing: int
    skipped_serialization: int
    skipped_production: int
    dead_lettered_deserialization: int
    dead_lettered_processing: int
    dead_lettered_serialization: int
    dead_lettered_production: int
    changelog_records: int
    restored: int
    commits: int

    def __init__(self) -> None:
        for name in COUNTER_HELP:
            setattr(self, name, 0)
        self.skipped_at: dict[str, SkippedAt] = {}
        """By the label of the operator, "" where it was none's code."""

    def skip_at(self, node: str | None, error: str) -> None:
        """Notes who failed on a record that is skipped."""
        at = self.skipped_at.setdefault(node or "", SkippedAt())
        at.records += 1
        at.last = error

    def snapshot(self) -> dict[str, int]:
        """The counts as they are now; counts that belong together may be one record apart."""
        return {name: getattr(self, name) for name in COUNTER_HELP}

    @property
    def dropped_or_skipped(self) -> int:
        """All records of which nothing came for a reason that is counted here. Changes that versioned tables ignored
        are not among them. Source: `dropped-records-total`."""
        return (
            self.dropped_duplicate
            + self.dropped_late
            + self.dropped_invalid_timestamp
            + self.dropped_null_key
            + self.dropped_null_value
            + self.skipped_deserialization
            + self.skipped_processing
            + self.skipped_serialization
            + self.skipped_production
        )

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={count}" for name, count in self.snapshot().items() if count)
        return f"Counters({told})"


COUNTS_OF = attrgetter(*COUNTER_HELP)
NO_COUNTS = (0,) * len(COUNTER_HELP)


def add_up(counters: Iterable[Counters]) -> dict[str, int]:
    """The sums over several tasks, every name present."""
    rows = [NO_COUNTS, *map(COUNTS_OF, counters)]
    return dict(zip(COUNTER_HELP, map(sum, zip(*rows, strict=True)), strict=True))
