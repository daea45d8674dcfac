"""Making what tasks did last: changelogs, offsets and local state, in an order that a crash cannot spoil.

At least once:

0. tables that forward at the commit do so, which makes records and dirty rows;
1. each store's dirty rows are sent to its changelog, changed clocks and watermarks to the metadata topic;
2. the producer is flushed: outputs, repartition records and changelogs are acknowledged;
3. the offsets are committed through the group member, which refuses if the tasks are somebody else's by now;
4. each task's state is written, rows, positions and metadata in one batch.

A crash between 2 and 3 processes records again on top of rows that hold them already, as in Kafka Streams: a count may
count them twice. After 3, the local state lacks rows that the changelog has, and its
recorded position says from where. Nothing is ever wiped.
Source: KIP-892 and KIP-1035 for positions inside the store, `TaskExecutor.commitOffsetsOrTransaction` for the order.

Exactly once is a second `CommitProtocol`: the same steps inside a transaction, with 3 replaced by sending the offsets
to it and committing it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.membership import CommittedOffset, Membership
from streams.runtime.producer import RecordProducer
from streams.runtime.router import Place
from streams.runtime.task import Task, pending_rows
from streams.runtime.task_metadata import RESTORED

SETTLE_TIMEOUT_S = 10.0


class CommitProtocol(Protocol):
    """A processing guarantee."""

    def commit(self, tasks: Sequence[Task], *, give_up: Callable[[], bool], closing: bool = False) -> bool:
        """Commits these tasks; False if there was nothing to commit.

        Args:
            give_up: asked while the broker does not answer; True ends the attempt with a ProduceError.
            closing: the tasks are going to be closed: positions are recorded exactly, so that nothing needs to be
                restored when they are opened again here.

        Raises:
            ProduceError: a record was refused or not acknowledged. The state is as it was before.
            CommitFailedError: the broker refused the offsets. The state is as it was before.
            StoreError: a row does not encode.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What one task is going to commit."""

    task: Task
    offsets: dict[Place, CommittedOffset]
    metadata: dict[str, bytes]


class AtLeastOnce:
    """Every record is processed, some twice after a crash; state is consistent with the offsets except for that."""

    def __init__(
        self,
        producer: RecordProducer,
        membership: Membership,
        positions: ChangelogPositions,
        metadata_topic: str | None,
    ) -> None:
        self._producer = producer
        self._membership = membership
        self._positions = positions
        self._metadata_topic = metadata_topic

    def commit(self, tasks: Sequence[Task], *, give_up: Callable[[], bool], closing: bool = False) -> bool:
        for task in tasks:
            task.flush()
        self._positions.before_write()
        changes = [self._write(task) for task in tasks]
        changed = [change for change in changes if change.offsets or change.metadata or change.task.state.dirty_bytes]
        if changed:
            self._producer.flush(give_up=give_up)
            offsets = {place: offset for change in changed for place, offset in change.offsets.items()}
            if offsets:
                self._membership.commit(offsets)
        if closing:
            self._positions.settle([task.id for task in tasks], SETTLE_TIMEOUT_S)
            changed = changes
        for change in changed:
            self._keep(change)
        self._positions.after_commit([task.id for task in tasks])
        return bool(changed)

    def _write(self, task: Task) -> Change:
        """Sends a task's changelog records."""
        send, rows_sent = self._producer.send, 0
        for changelog in task.changelogs:
            _, topic, partition = changelog
            rows = pending_rows(task, changelog)
            for key, value, timestamp in rows:
                send(topic, value, key, partition, timestamp)
            self._positions.sent(task.id, (topic, partition), len(rows))
            rows_sent += len(rows)
        metadata = task.changed_metadata()
        if self._metadata_topic is not None and task.changelogs:
            for name, row in metadata.items():
                send(self._metadata_topic, row, name.encode(), task.id.partition, 0)
            self._positions.sent(task.id, (self._metadata_topic, task.id.partition), len(metadata))
        task.counters.changelog_records += rows_sent
        return Change(task, task.offsets(), metadata)

    def _keep(self, change: Change) -> None:
        """Writes a task's state: everything in it is acknowledged."""
        task = change.task
        positions = {c.store: self._positions.get(task.id, (c.topic, c.partition)) for c in task.changelogs}
        metadata = dict(change.metadata)
        if self._metadata_topic is not None and task.changelogs:
            restored = b"%d" % self._positions.get(task.id, (self._metadata_topic, task.id.partition))
            if task.remembered.get(RESTORED) != restored:
                metadata[RESTORED] = restored
        task.state.commit(positions, metadata)
        task.committed(change.offsets, metadata)
