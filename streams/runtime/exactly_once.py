"""Exactly once: outputs, changelogs and offsets become visible together, or not at all.

All tasks of the stream thread share one transaction, which is open from one commit to the next:

1. dirty rows go to the changelogs and changed clocks and watermarks to the metadata topic, as ever;
2. the offsets of every task are sent to the transaction, with the member's generation: a member the group has given up
   on is refused;
3. the transaction is committed: from here on readers see all of it;
4. each task's state is written, rows, positions and metadata in one batch.

A crash before 3 leaves nothing: the transaction is aborted by the successor's start, or by its timeout, and the local
state knows nothing of it. A crash between 3 and 4 leaves a local state that lags its changelog, and restore brings it
up. When the broker says that the transaction has to be aborted, so does `TransactionAbortedError`, and the tasks are
opened anew from what they last committed.
Source: KIP-98, KIP-129, KIP-447; `TaskExecutor` of Kafka Streams with `exactly_once_v2`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from streams.plan.task_id import TaskId
from streams.runtime.broker_wait import BrokerWait
from streams.runtime.commit import AtLeastOnce, ChangeWriter, CommitProtocol, nothing
from streams.runtime.membership import Membership
from streams.runtime.producer import RecordProducer
from streams.runtime.task import Task
from streams.runtime.transactional_producer import TransactionalProducer


class ExactlyOnce:
    """A `CommitProtocol`. Owned by the stream thread."""

    together = True

    def __init__(
        self, producer: TransactionalProducer, membership: Membership, changes: ChangeWriter, waiting: BrokerWait
    ) -> None:
        self._producer = producer
        self._membership = membership
        self._changes = changes
        self._waiting = waiting

    def abandon(self, *, give_up: Callable[[], bool]) -> None:
        self._producer.start_over(give_up=give_up)

    def commit(
        self,
        tasks: Sequence[Task],
        *,
        give_up: Callable[[], bool],
        closing: Collection[TaskId] = (),
        meanwhile: Callable[[], bool] = nothing,
    ) -> bool:
        """As `CommitProtocol.commit`.

        Raises:
            TransactionAbortedError: nothing of it counts; the tasks' stores and clocks are ahead and must be dropped.
        """
        changes = self._changes.write(tasks)
        self._changes.write_metadata(changes)
        changed = [change for change in changes if change.worth_it]
        if changed or self._producer.pending:
            offsets = {place: offset for change in changed for place, offset in change.offsets.items()}
            group = self._membership.group_metadata()
            self._waiting.during(lambda: self._producer.commit(offsets, group, give_up=give_up), meanwhile)
        self._changes.keep(changes, closing)
        return bool(changed)


def commit_protocol(
    producer: RecordProducer, membership: Membership, changes: ChangeWriter, waiting: BrokerWait
) -> CommitProtocol:
    """The guarantee that goes with a producer."""
    if isinstance(producer, TransactionalProducer):
        return ExactlyOnce(producer, membership, changes, waiting)
    return AtLeastOnce(producer, membership, changes, waiting)
