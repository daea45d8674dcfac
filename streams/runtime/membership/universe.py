"""All tasks of an application, as the leader of its group needs to know them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from streams.plan.task_id import TaskId


class TaskUniverse(Struct, frozen=True, kw_only=True):
    """`inputs` has every task, with the (topic, partition) pairs it reads; `stateful` those with stores to restore;
    `backlog` how many records a worker without any state of the task would have to restore, where that is known."""

    inputs: Mapping[TaskId, tuple[tuple[str, int], ...]]
    stateful: frozenset[TaskId] = field(default_factory=frozenset[TaskId])
    backlog: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])

    @property
    def tasks(self) -> tuple[TaskId, ...]:
        """In order."""
        return tuple(sorted(self.inputs))
