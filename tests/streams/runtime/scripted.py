"""A membership that a test directs."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence

from streams.errors import ApplicationShutdownError
from streams.plan.task_id import TaskId
from streams.runtime.membership import Assigned, CommittedOffset, Failed, MembershipEvent, MemberView


class ScriptedMembership:
    """Hands out the events a test pushes. `offsets` may be shared by several, as a group's are."""

    def __init__(self, offsets: dict[tuple[str, int], CommittedOffset] | None = None) -> None:
        self.offsets = offsets if offsets is not None else {}
        self.released_tasks: list[frozenset[TaskId]] = []
        self.commit_errors: list[Exception] = []
        self.wanted_rebalances: list[str] = []
        self.lags: Mapping[TaskId, int] = {}
        self.stopped_with_leave: bool | None = None
        self.unreachable_since: int | None = None
        self._events: list[MembershipEvent] = []
        self._lock = threading.Lock()

    def push(self, *events: MembershipEvent) -> None:
        """From any thread."""
        with self._lock:
            self._events += events

    def assign(self, *tasks: TaskId, standbys: Collection[TaskId] = (), warming: Collection[TaskId] = ()) -> None:
        self.push(Assigned(frozenset(tasks), 1, frozenset(standbys), frozenset(warming)))

    # The seam
    def start(self) -> None:
        pass

    def poll(self) -> Sequence[MembershipEvent]:
        with self._lock:
            events, self._events = self._events, []
        return events

    def released(self, tasks: frozenset[TaskId]) -> None:
        self.released_tasks.append(tasks)

    def commit(self, offsets: Mapping[tuple[str, int], CommittedOffset]) -> None:
        if self.commit_errors:
            raise self.commit_errors.pop(0)
        self.offsets.update(offsets)

    def committed(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], CommittedOffset | None]:
        return {place: self.offsets.get(place) for place in partitions}

    def members(self) -> Sequence[MemberView]:
        return ()

    def report(self, task_lags: Mapping[TaskId, int]) -> None:
        self.lags = dict(task_lags)

    def rebalance(self, reason: str) -> None:
        self.wanted_rebalances.append(reason)

    def end_application(self, reason: str) -> None:
        self.push(Failed(ApplicationShutdownError(reason)))

    def group_metadata(self) -> bytes:
        return b""

    @property
    def generation_known(self) -> bool:
        return True

    @property
    def place_held(self) -> bool:
        return True

    def stop(self, *, leave: bool) -> None:
        self.stopped_with_leave = leave
