"""One changelog partition that is read into one store, or into a task's metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from confluent_kafka import Message as KafkaMessage
from msgspec import Struct, field

from streams.runtime.listener import RestoreProgress
from streams.runtime.log_ends import EndsRequest
from streams.runtime.replica import Replica
from streams.runtime.router import Place
from streams.runtime.task_metadata import rows_of

log = logging.getLogger(__name__)

ENDLESS = 2**63 - 1
"""The end of a changelog that is followed as it grows."""


class Stretch(Struct):
    """From `start` to `end`, so far read to `position`. `store` None: the task's metadata."""

    replica: Replica
    store: str | None
    place: Place
    position: int
    start: int = 0
    end: int = -1
    records: int = 0
    began_at: float = 0.0
    told_at: float = 0.0
    logged_at: float = 0.0
    rows: frozenset[str] = field(default_factory=frozenset[str])
    is_input: bool = False
    """The topic goes on behind the end: it is an input of the task, and the end is the offset committed of it."""
    until: int = ENDLESS
    """That offset, of an input."""
    can_read: Callable[[bytes | None], bool] | None = None
    """Tells values of such a topic that do not decode: they were passed over when they were processed."""
    followed: bool = False
    """It is a standby's: read on as long as there is anything."""

    @property
    def done(self) -> bool:
        return self.position >= self.end

    @property
    def has_end(self) -> bool:
        """Whether it is known how far to read: not of a standby's, nor of one just promoted."""
        return not self.followed and self.end != ENDLESS

    def apply(self, messages: Sequence[KafkaMessage], position: int) -> None:
        """Writes records, and that everything before `position` is there."""
        if self.is_input and position > self.end:
            messages = [m for m in messages if (m.offset() or 0) < self.end]
            position = self.end
        if self.store is not None:
            records = [(m.key(), m.value(), m.timestamp()[1]) for m in messages]
            if None in (key for key, _, _ in records):
                records = [record for record in records if record[0] is not None]
            if self.can_read is not None:
                records = [record for record in records if self.can_read(record[1])]
            self.replica.state.restore(self.store, records, position)  # pyright: ignore[reportArgumentType]
        else:
            found = {(m.key() or b"").decode(errors="replace"): m.value() for m in messages}
            kept = {name: row for name, row in found.items() if row is not None and name in self.rows}
            self.replica.restore_metadata(kept, position)
        self.records += len(messages)
        self.replica.counters.restored += len(messages)
        self.position = position


class ChangelogLag(NamedTuple):
    """How far a store is in its changelog. Offsets; `end` is at least `position`."""

    position: int
    end: int

    @property
    def records(self) -> int:
        """What it lacks, at most: some offsets belong to no record."""
        return self.end - self.position


class Question(Struct, eq=False):
    """What the broker was asked: where the partitions of these stretches end, for the first time and for the last."""

    request: EndsRequest
    stretches: list[Stretch]
    since: float
    asked_at: float


def stretches_of(replica: Replica, metadata_topic: str | None) -> list[Stretch]:
    """All that a replica is made of, from where its state is on."""
    positions = replica.state.positions
    found = [
        Stretch(replica, store, (topic, partition), positions.get(store, 0))
        for store, topic, partition in replica.changelogs
    ]
    found += [
        Stretch(
            replica,
            store,
            (topic, partition),
            positions.get(store, 0),
            is_input=True,
            can_read=replica.subtopology.store(store).can_read,
        )
        for store, topic, partition in replica.source_changelogs
    ]
    if replica.changelogs and metadata_topic is not None:
        place = (metadata_topic, replica.id.partition)
        found.append(Stretch(replica, None, place, replica.metadata_position, rows=rows_of(replica.subtopology)))
    return found


def progress_of(stretch: Stretch, now: float) -> RestoreProgress:
    elapsed = now - stretch.began_at
    return RestoreProgress(
        task=stretch.replica.id,
        store=stretch.store or "",
        topic=stretch.place[0],
        start_offset=stretch.start,
        position=stretch.position,
        end_offset=stretch.end,
        records=stretch.records,
        records_per_s=stretch.records / elapsed if elapsed > 0 else 0.0,
        done=stretch.done,
    )


def log_progress(progress: RestoreProgress) -> None:
    log.info(
        "restore_running: task %s, %s: %d offsets to go, %.0f records/s, about %s s left",
        progress.task,
        progress.store or "metadata",
        progress.remaining,
        progress.records_per_s,
        "?" if progress.eta_s is None else f"{progress.eta_s:.0f}",
        extra={"task": str(progress.task)},
    )
