"""What happens to a group member, and what it wants done about it. `member` turns the ones into the others."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.membership.events import MembershipEvent
from streams.runtime.membership.place import Candidate
from streams.wire.requests.heartbeat import Beaten, Heartbeat
from streams.wire.requests.join_group import Joined, JoinGroup
from streams.wire.requests.leave_group import LeaveGroup, Left
from streams.wire.requests.sync_group import Synced, SyncGroup

GroupRequest = JoinGroup | SyncGroup | Heartbeat | LeaveGroup
GroupAnswer = Joined | Synced | Beaten | Left


# -- stimuli: what happens ------------------------------------------------------------------------------------------


class Start(Struct, frozen=True):
    """The membership begins."""


class Located(Struct, frozen=True):
    """There is a connection to the group's coordinator."""


class Unreachable(Struct, frozen=True):
    """`Locate` failed, or the connection broke."""

    error: StreamsError


class Answered(Struct, frozen=True):
    """The answer to the request in flight."""

    answer: GroupAnswer


class TimerFired(Struct, frozen=True):
    """The time given in the last `SetTimer` has come."""


class Computed(Struct, frozen=True):
    """The assignments asked for by `Compute` of this generation: member id -> bytes."""

    generation: int
    assignments: Mapping[str, bytes]


class ComputeFailed(Struct, frozen=True):
    generation: int
    error: StreamsError


class Released(Struct, frozen=True):
    """The worker has closed revoked tasks. `revocation` is the number (from 1) of the last `Revoked` it had seen by
    then: what was revoked later is not meant."""

    tasks: frozenset[TaskId]
    revocation: int


class Reported(Struct, frozen=True):
    """See `Membership.report`."""

    lags: Mapping[TaskId, int]


class RebalanceWanted(Struct, frozen=True):
    """Something about the tasks has changed, for instance the number of a topic's partitions; or, with `shutdown`, all
    members are to end."""

    reason: str
    shutdown: bool = False


class Doubted(Struct, frozen=True):
    """A commit was refused as if by a stranger: ask the coordinator at once."""


class Stop(Struct, frozen=True):
    """`leave` tells the coordinator; otherwise the member just falls silent."""

    leave: bool


Stimulus = (
    Start
    | Located
    | Unreachable
    | Answered
    | TimerFired
    | Computed
    | ComputeFailed
    | Released
    | Reported
    | RebalanceWanted
    | Doubted
    | Stop
)


# -- effects: what is to be done ------------------------------------------------------------------------------------


class Locate(Struct, frozen=True):
    """Drop the connection, find the coordinator and connect; then `Located` or `Unreachable`."""


class Disconnect(Struct, frozen=True):
    """Drop the connection; an answer still under way does not count."""


class Send(Struct, frozen=True):
    request: GroupRequest


class Compute(Struct, frozen=True):
    """This member leads: work out everybody's assignment, off this thread; then `Computed` or `ComputeFailed`."""

    generation: int
    candidates: tuple[Candidate, ...]


class Deliver(Struct, frozen=True):
    """Tell the worker."""

    event: MembershipEvent


class SetTimer(Struct, frozen=True):
    """There is one timer; this replaces it. `at` is on the clock of `now` in seconds, None switches it off."""

    at: float | None


class Finish(Struct, frozen=True):
    """The last effect: nothing more will happen."""


Effect = Locate | Disconnect | Send | Compute | Deliver | SetTimer | Finish
