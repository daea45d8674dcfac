"""What a worker hears from its membership, in order."""

from __future__ import annotations

from dataclasses import dataclass

from streams.errors import StreamsError
from streams.plan.task_id import TaskId


@dataclass(frozen=True, slots=True)
class Assigned:
    """The full set of tasks to own from now on; new ones may start at once. Comes once a generation, also unchanged.

    A task that was named in a `Revoked` is in no `Assigned` until it has been released.
    """

    tasks: frozenset[TaskId]
    generation: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """These tasks go to others: stop and commit them, close their stores, then call `released` with them."""

    tasks: frozenset[TaskId]


@dataclass(frozen=True, slots=True)
class Lost:
    """All tasks are lost, those just being revoked included: drop them without committing. The member rejoins by
    itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The membership has ended and will not come back."""

    error: StreamsError


MembershipEvent = Assigned | Revoked | Lost | Failed
