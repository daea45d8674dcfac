"""What happens to a group member, and what it wants done about it. `member` turns the ones into the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Start:
    """The membership begins."""


@dataclass(frozen=True, slots=True)
class Located:
    """There is a connection to the group's coordinator."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """`Locate` failed, or the connection broke."""

    error: StreamsError


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to the request in flight."""

    answer: GroupAnswer


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time given in the last `SetTimer` has come."""


@dataclass(frozen=True, slots=True)
class Computed:
    """The assignments asked for by `Compute` of this generation: member id -> bytes."""

    generation: int
    assignments: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ComputeFailed:
    generation: int
    error: StreamsError


@dataclass(frozen=True, slots=True)
class Released:
    """The worker has closed revoked tasks. `revocation` is the number (from 1) of the last `Revoked` it had seen by
    then: what was revoked later is not meant."""

    tasks: frozenset[TaskId]
    revocation: int


@dataclass(frozen=True, slots=True)
class Reported:
    """See `Membership.report`."""

    lags: Mapping[TaskId, int]


@dataclass(frozen=True, slots=True)
class RebalanceWanted:
    """Something about the tasks has changed, for instance the number of a topic's partitions; or, with `shutdown`, all
    members are to end."""

    reason: str
    shutdown: bool = False


@dataclass(frozen=True, slots=True)
class Doubted:
    """A commit was refused as if by a stranger: ask the coordinator at once."""


@dataclass(frozen=True, slots=True)
class Stop:
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


@dataclass(frozen=True, slots=True)
class Locate:
    """Drop the connection, find the coordinator and connect; then `Located` or `Unreachable`."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Drop the connection; an answer still under way does not count."""


@dataclass(frozen=True, slots=True)
class Send:
    request: GroupRequest


@dataclass(frozen=True, slots=True)
class Compute:
    """This member leads: work out everybody's assignment, off this thread; then `Computed` or `ComputeFailed`."""

    generation: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Deliver:
    """Tell the worker."""

    event: MembershipEvent


@dataclass(frozen=True, slots=True)
class SetTimer:
    """There is one timer; this replaces it. `at` is on the clock of `now` in seconds, None switches it off."""

    at: float | None


@dataclass(frozen=True, slots=True)
class Finish:
    """The last effect: nothing more will happen."""


Effect = Locate | Disconnect | Send | Compute | Deliver | SetTimer | Finish
