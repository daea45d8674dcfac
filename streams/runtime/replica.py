"""A copy of a task's state, as it is fed from the task's changelogs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from stores import TaskState
from streams.observe import Counters
from streams.plan.plan import PartitionPlan, Subtopology
from streams.plan.task_id import TaskId
from streams.runtime.router import Place
from streams.runtime.task_metadata import CLOCK, RESTORED


class Changelog(NamedTuple):
    """The changelog partition of one store of a task."""

    store: str
    topic: str
    partition: int


class Replica:
    """What all who have a task's state have in common: a task that works on it (`Task`), and one that stands by
    (`StandbyTask`). Owned by the stream thread.

    Args:
        state: opened.
        inputs: the partitions the task reads.
    """

    def __init__(self, task_id: TaskId, plan: PartitionPlan, state: TaskState, inputs: Collection[Place]) -> None:
        self.id = task_id
        self.subtopology: Subtopology = plan.plan.subtopologies[task_id.subtopology]
        self.state = state
        self.counters = Counters()
        self.changelogs = tuple(
            Changelog(store.name, store.changelog, task_id.partition)
            for store in self.subtopology.stores
            if store.changelog is not None
        )
        self.source_changelogs = tuple(
            Changelog(store.name, store.source, task_id.partition)
            for store in self.subtopology.stores
            if store.source is not None and (store.source, task_id.partition) in inputs
        )
        """Stores without a changelog of their own: what they hold was read of an input up to its committed offset."""
        self.remembered: dict[str, bytes] = dict(state.metadata)
        """The metadata rows as last committed, or as restored."""

    def restore_metadata(self, rows: Mapping[str, bytes], position: int) -> None:
        """Takes in rows of the metadata topic up to `position`. Clocks never go back."""
        for name, row in rows.items():
            known = self.remembered.get(name)
            if known is None or not name.startswith(CLOCK) or int(row) > int(known):
                self.remembered[name] = row
        self.remembered[RESTORED] = b"%d" % position

    @property
    def metadata_position(self) -> int:
        """The offset in the metadata topic from which rows are not known here yet."""
        return int(self.remembered.get(RESTORED, b"0"))
