"""What the query server asks a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from streams.plan.task_id import TaskId
from streams.query.stores import StoreHolder
from streams.runtime.phase import WorkerState


class Subject(StoreHolder, Protocol):
    """A worker as others see it, from any thread."""

    @property
    def application_id(self) -> str: ...

    @property
    def state(self) -> WorkerState: ...

    def task_counters(self) -> Mapping[TaskId, Mapping[str, int]]: ...
