"""Making what tasks did last: changelogs, offsets and local state, in an order that a crash cannot spoil.

At least once:

0. tables that forward at the commit do so, which makes records and dirty rows;
1. each store's dirty rows are sent to its changelog;
2. the producer is flushed: outputs, repartition records and changelogs are acknowledged. Only then changed clocks and
   watermarks are sent to the metadata topic, and flushed too: a clock that survived without the rows and final results
   it stands for would have the repeated records dropped as late, and the results left out as told already;
3. the offsets are committed through the group member, which refuses if the tasks are somebody else's by now;
4. each task's state is written, rows, positions and metadata in one batch.

A crash between 2 and 3 processes records again on top of rows that hold them already, as in Kafka Streams: a count may
count them twice. After 3, the local state lacks rows that the changelog has, and its
recorded position says from where. Nothing is ever wiped.
Source: KIP-892 and KIP-1035 for positions inside the store, `TaskExecutor.commitOffsetsOrTransaction` for the order.

Exactly once (`exactly_once`) is the same inside a transaction: step 3 sends the offsets to it and commits it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.broker_wait import BrokerWait
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.membership import CommittedOffset, Membership
from streams.runtime.producer import RecordProducer
from streams.runtime.router import Place
from streams.runtime.task import Task
from streams.runtime.task_metadata import RESTORED

log = logging.getLogger(__name__)

SETTLE_TIMEOUT_S = 10.0


def nothing() -> bool:
    """There is nothing to do meanwhile."""
    return False


class CommitProtocol(Protocol):
    """A processing guarantee."""

    @property
    def together(self) -> bool:
        """Whether all tasks of the thread share one commit, so that none can commit without the others."""
        ...

    def abandon(self, *, give_up: Callable[[], bool]) -> None:
        """What was sent since the last commit is not to count, where that can still be prevented. The tasks have to be
        opened anew, from what they last committed."""
        ...

    def commit(
        self,
        tasks: Sequence[Task],
        *,
        give_up: Callable[[], bool],
        closing: Collection[TaskId] = (),
        meanwhile: Callable[[], bool] = nothing,
    ) -> bool:
        """Commits these tasks; False if there was nothing to commit.

        Args:
            give_up: asked while the broker does not answer; True ends the attempt with a ProduceError.
            closing: those of the tasks that are going to be closed: their positions are recorded exactly, so that
                nothing needs to be restored when they are opened again here.
            meanwhile: called while the broker has to answer; says whether it is to be called again. It must not send,
                nor change tasks.

        Raises:
            ProduceError: a record was refused or not acknowledged. The state is as it was before.
            CommitFailedError: the broker refused the offsets. The state is as it was before.
            StoreError: a row does not encode.
        """
        ...


class Change(Struct, frozen=True):
    """What one task is going to commit."""

    task: Task
    offsets: dict[Place, CommittedOffset]
    metadata: dict[str, bytes]

    @property
    def worth_it(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.offsets or self.metadata or self.task.state.dirty_bytes or self.task.punctuated)


class ChangeWriter:
    """The part that guarantees have in common: what a task has changed goes to the changelogs, later to its state."""

    def __init__(self, producer: RecordProducer, positions: ChangelogPositions, metadata_topic: str | None) -> None:
        self._producer = producer
        self._positions = positions
        self._metadata_topic = metadata_topic

    def write(self, tasks: Sequence[Task]) -> list[Change]:
        """Has tables forward what they held back, and sends the tasks' changelog records."""
        for task in tasks:
            task.flush()
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


class AtLeastOnce:
    """Every record is processed, some twice after a crash; state is consistent with the offsets except for that."""

    together = False

    def __init__(
        self, producer: RecordProducer, membership: Membership, changes: ChangeWriter, waiting: BrokerWait
    ) -> None:
        self._producer = producer
        self._membership = membership
        self._changes = changes
        self._waiting = waiting

    def abandon(self, *, give_up: Callable[[], bool]) -> None:
        """What was sent cannot be taken back, but what is still under way has to arrive before what is sent again."""
        self._producer.start_over(give_up=give_up)

    def commit(
        self,
        tasks: Sequence[Task],
        *,
        give_up: Callable[[], bool],
        closing: Collection[TaskId] = (),
        meanwhile: Callable[[], bool] = nothing,
    ) -> bool:
        changes = self._changes.write(tasks)
        changed = [change for change in changes if change.worth_it]
        if changed:
            self._waiting.during(lambda: self._producer.flush(give_up=give_up), meanwhile)
            if self._changes.write_metadata(changed):
                self._producer.flush(give_up=give_up)
            offsets = {place: offset for change in changed for place, offset in change.offsets.items()}
            if offsets:
                self._membership.commit(offsets)
        self._changes.keep(changes, closing)
        return bool(changed)
