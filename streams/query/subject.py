"""What the query server asks of its worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from stores import StoreReader
from streams.observe.reading import WorkerReading
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.query.position import Place
from streams.runtime.listener import RestoreProgress
from streams.runtime.membership import MemberView
from streams.runtime.options import WorkerOptions
from streams.runtime.phase import WorkerState
from streams.runtime.standbys import StandingBy


class Subject(Protocol):
    """A worker as others see it, from any thread. `Worker` says what each of these is."""

    @property
    def application_id(self) -> str: ...

    @property
    def options(self) -> WorkerOptions: ...

    @property
    def state(self) -> WorkerState: ...

    @property
    def endpoint(self) -> str | None: ...

    @property
    def partitions(self) -> PartitionPlan | None: ...

    def tasks(self) -> tuple[frozenset[TaskId], frozenset[TaskId]]: ...

    def readers(self) -> Mapping[tuple[str, int], StoreReader]: ...

    def standing_by(self) -> StandingBy: ...

    def global_readers(self) -> Mapping[str, StoreReader]: ...

    def members(self) -> tuple[MemberView, ...]: ...

    def place_held(self) -> bool: ...

    def position(self, task: TaskId, place: Place) -> int | None: ...

    def global_position(self, place: Place) -> int | None: ...

    def restoring(self) -> Mapping[tuple[TaskId, str], RestoreProgress]: ...

    def reading(self) -> WorkerReading: ...
