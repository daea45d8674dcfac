"""Making what tasks did last: changelogs, offsets and local state, in an order that a crash cannot spoil.

1. Tables that forward at the commit do so, which makes records and dirty rows;
2. each store's dirty rows are sent to its changelog;
3. the broker acknowledges outputs, repartition records, changelogs, clocks, watermarks and offsets, in the manner of
   the guarantee (`at_least_once`, `exactly_once`);
4. each task's state is written, rows, positions and metadata in one batch.

After a crash between 3 and 4 the local state lacks rows that the changelog has, and its recorded position says from
where. Nothing is ever wiped.
Source: KIP-892 and KIP-1035 for positions inside the store, `TaskExecutor.commitOffsetsOrTransaction` for the order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from streams.plan.task_id import TaskId
from streams.runtime.change_writer import Change, ChangeWriter
from streams.runtime.producer import RecordProducer
from streams.runtime.task import Task


def nothing() -> bool:
    """There is nothing to do meanwhile."""
    return False


class Guarantee(Protocol):
    """A processing guarantee: what the broker has to say before a commit counts."""

    @property
    def together(self) -> bool:
        """Whether all tasks of the thread share one commit, so that none can commit without the others."""
        ...

    def acknowledge(
        self, changed: Sequence[Change], *, give_up: Callable[[], bool], meanwhile: Callable[[], bool]
    ) -> None:
        """Returns when the broker has everything that was sent, the tasks' metadata and offsets with it. `changed` may
        be empty: there may be records of the worker's own. Arguments and errors as those of `Committer.commit`."""
        ...


class Committer:
    """Commits tasks under a guarantee. Owned by the stream thread."""

    def __init__(self, producer: RecordProducer, guarantee: Guarantee, changes: ChangeWriter) -> None:
        self._producer = producer
        self._guarantee = guarantee
        self._changes = changes

    @property
    def together(self) -> bool:
        """As `Guarantee.together`."""
        return self._guarantee.together

    def abandon(self, *, give_up: Callable[[], bool]) -> None:
        """What was sent since the last commit is not to count, where that can still be prevented; else it arrives
        before what is sent again. The tasks have to be opened anew, from what they last committed."""
        self._producer.start_over(give_up=give_up)

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
            TransactionAbortedError: nothing of it counts; the tasks' stores and clocks are ahead and must be dropped.
            StoreError: a row does not encode.
        """
        changes = self._changes.write(tasks)
        changed = [change for change in changes if change.worth_it]
        self._guarantee.acknowledge(changed, give_up=give_up, meanwhile=meanwhile)
        self._changes.keep(changes, closing)
        return bool(changed)
