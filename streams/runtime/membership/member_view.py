"""What a member knows of another."""

from __future__ import annotations

from dataclasses import dataclass

from streams.plan.task_id import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A member as of an assignment. `endpoint` is where its stores are queried ("host:port"; None: nowhere);
    `tasks` are those it may run; a task on its way to a new owner is in nobody's. Of `standbys` it keeps the state."""

    member_id: str
    tasks: frozenset[TaskId]
    endpoint: str | None
    host: str = ""
    instance_id: str | None = None
    standbys: frozenset[TaskId] = frozenset()
