"""What a member knows of another."""

from __future__ import annotations

from msgspec import Struct

from streams.plan.task_id import TaskId


class MemberView(Struct, frozen=True, kw_only=True):
    """A member as of an assignment. `endpoint` is where its stores are queried ("host:port"; None: nowhere);
    `tasks` are those it may run; a task on its way to a new owner is in nobody's. Of `standbys` it keeps the state."""

    member_id: str
    tasks: frozenset[TaskId]
    endpoint: str | None
    host: str = ""
    instance_id: str | None = None
    standbys: frozenset[TaskId] = frozenset()
