"""What a worker hears from its membership, in order."""

from __future__ import annotations

from msgspec import Struct

from streams.errors import StreamsError
from streams.plan.task_id import TaskId


class Assigned(Struct, frozen=True):
    """The full set of tasks to own from now on; new ones may start at once. Comes once a generation, also unchanged.

    A task that was named in a `Revoked` is in no `Assigned` until it has been released. `standbys` is the full set of
    tasks whose state is to be kept up to date here; the group should be asked for a rebalance when those that are
    `warming` have caught up, because they are to run here.
    """

    tasks: frozenset[TaskId]
    generation: int
    standbys: frozenset[TaskId] = frozenset()
    warming: frozenset[TaskId] = frozenset()


class Revoked(Struct, frozen=True):
    """These tasks go to others: stop and commit them, close their stores, then call `released` with them. The stores of
    those in `kept` may stay open: they are standbys here from now on."""

    tasks: frozenset[TaskId]
    kept: frozenset[TaskId] = frozenset()


class Lost(Struct, frozen=True):
    """All tasks are lost, those just being revoked and standbys included: drop them without committing. The member
    rejoins by itself."""

    reason: str


class Failed(Struct, frozen=True):
    """The membership has ended and will not come back."""

    error: StreamsError


MembershipEvent = Assigned | Revoked | Lost | Failed
