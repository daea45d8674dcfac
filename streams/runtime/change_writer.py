"""What tasks have changed since they last committed: where it goes, and in which order."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from msgspec import Struct

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.membership import CommittedOffset
from streams.runtime.producer import RecordProducer
from streams.runtime.router import Place
from streams.runtime.task import Task
from streams.runtime.task_metadata import RESTORED

log = logging.getLogger(__name__)

SETTLE_TIMEOUT_S = 10.0


class Change(Struct, frozen=True):
    """What one task is going to commit."""

    task: Task
    offsets: dict[Place, CommittedOffset]
    metadata: dict[str, bytes]

    @property
    def worth_it(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.offsets or self.metadata or self.task.state.dirty_bytes or self.task.punctuated)


def offsets_of(changes: Sequence[Change]) -> dict[Place, CommittedOffset]:
    """Where all of them together go on reading."""
    return {place: offset for change in changes for place, offset in change.offsets.items()}


class ChangeWriter:
    """Sends what tasks have changed to their changelogs, and writes it to their states once that is acknowledged."""

    def __init__(self, producer: RecordProducer, positions: ChangelogPositions, metadata_topic: str | None) -> None:
        self._producer = producer
        self._positions = positions
        self._metadata_topic = metadata_topic

    def write(self, tasks: Sequence[Task]) -> list[Change]:
        """Has tables forward what they held back, and sends the tasks' changelog records."""
        for task in tasks:
            task.flush()
        self._producer.hurry()  # outputs are on their way while rows are encoded
        self._positions.before_write()
        return [self._write(task) for task in tasks]

    def _write(self, task: Task) -> Change:
        send, rows_sent = self._producer.send, 0
        for store, topic, partition in task.changelogs:
            rows = list(task.state.pending(store))  # all of them encode, or none is sent
            for key, value, timestamp in rows:
                send(topic, value, key, partition, timestamp)
            self._positions.sent(task.id, (topic, partition), len(rows))
            rows_sent += len(rows)
        task.counters.changelog_records += rows_sent
        return Change(task, task.offsets(), task.changed_metadata())

    def write_metadata(self, changes: Sequence[Change]) -> bool:
        """Sends the tasks' clocks and watermarks; whether there were any."""
        sent = False
        for task, metadata in ((change.task, change.metadata) for change in changes):
            if self._metadata_topic is not None and task.changelogs and metadata:
                sent = True
                for name, row in metadata.items():
                    self._producer.send(self._metadata_topic, row, name.encode(), task.id.partition, 0)
                self._positions.sent(task.id, (self._metadata_topic, task.id.partition), len(metadata))
        return sent

    def keep(self, changes: Sequence[Change], closing: Collection[TaskId]) -> None:
        """Writes the tasks' states: everything in them is acknowledged."""
        if closing:
            try:
                self._positions.settle(closing, SETTLE_TIMEOUT_S)
            except StreamsError as error:  # what is known is lower and right too: more is restored, that is all
                log.warning("positions_unsettled: %s; some records will be restored that are there already", error)
        for change in changes:
            if change.worth_it or change.task.id in closing:
                self._keep(change)
            else:
                change.task.rest()
        self._positions.after_commit([change.task.id for change in changes])

    def _keep(self, change: Change) -> None:
        task = change.task
        positions = {c.store: self._positions.get(task.id, (c.topic, c.partition)) for c in task.changelogs}
        positions |= task.source_positions(change.offsets)
        metadata = dict(change.metadata)
        if self._metadata_topic is not None and task.changelogs:
            restored = b"%d" % self._positions.get(task.id, (self._metadata_topic, task.id.partition))
            if task.remembered.get(RESTORED) != restored:
                metadata[RESTORED] = restored
        task.state.commit(positions, metadata)
        task.committed(change.offsets, metadata)
