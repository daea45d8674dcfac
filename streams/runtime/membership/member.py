"""One member of a classic consumer group as a state machine without I/O: `step(stimulus, now) -> effects`.

    LOCATING ──► JOINING ──► ASSIGNING (the leader) ──► SYNCING ──► STABLE       any ──► LEAVING ──► ENDED
                    ▲            │                         │           │
                    └────────────┴───── group moves on ────┴───────────┘

    state      waits for                           and then
    LOCATING   the first connection                JOINING
    JOINING    JoinGroup's answer: all have        leader: Compute → ASSIGNING; others: SyncGroup → SYNCING
               joined the next generation          MEMBER_ID_REQUIRED: again, with the id
    ASSIGNING  Computed (heartbeats go on)         SyncGroup with everybody's assignment → SYNCING
    SYNCING    SyncGroup's answer: our assignment  Revoked, Assigned → STABLE
    STABLE     heartbeats' answers                 REBALANCE_IN_PROGRESS: → JOINING
               the release of revoked tasks        → JOINING (round two of a handover, see `handover`)
    LEAVING    LeaveGroup's answer                 ENDED

The connection is a matter of its own. When it is lost, or the coordinator has moved, the member reconnects after a
pause and repeats what was in flight; from ASSIGNING and SYNCING it goes back to JOINING, because the group may have
moved on. STABLE stays STABLE.

    an answer says                                 so
    UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION          the group went on without us: Lost, JOINING as a newcomer
    FENCED_INSTANCE_ID                             another process has our instance id: Lost, Failed, ENDED
    NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE,    pause, reconnect
    COORDINATOR_LOAD_IN_PROGRESS, other retriable  (the same as a lost connection)
    anything else                                  Failed, LEAVING

At most one request is in flight: the coordinator would not look at a second one of the connection before it has
answered the first. Tasks go on running while the group rebalances; a lost connection is no reason to drop them either,
since the coordinator refuses the commits of a member it has given up on.

Source: Kafka's ConsumerCoordinator and AbstractCoordinator; KIP-345 (static members), KIP-394, KIP-429.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kio.schema.errors import ErrorCode
from msgspec.structs import replace

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.membership.effects import (
    Answered,
    Compute,
    Computed,
    ComputeFailed,
    Deliver,
    Disconnect,
    Doubted,
    Effect,
    Finish,
    GroupAnswer,
    GroupRequest,
    Locate,
    Located,
    RebalanceWanted,
    Released,
    Reported,
    Send,
    SetTimer,
    Start,
    Stimulus,
    Stop,
    TimerFired,
    Unreachable,
)
from streams.runtime.membership.errors import InstanceFencedError, UserDataError
from streams.runtime.membership.events import Failed, MembershipEvent
from streams.runtime.membership.group_requests import GroupRequests
from streams.runtime.membership.holding import Holding
from streams.runtime.membership.identity import Identity
from streams.runtime.membership.leader import candidates_of
from streams.runtime.membership.member_view import MemberView
from streams.runtime.membership.options import MemberOptions
from streams.runtime.membership.refusal import refusal
from streams.runtime.membership.state import State
from streams.runtime.membership.user_data import decode_assignment
from streams.wire.requests.heartbeat import Beaten, Heartbeat
from streams.wire.requests.join_group import Joined
from streams.wire.requests.leave_group import Left
from streams.wire.requests.sync_group import Synced

EXPELLED = frozenset({ErrorCode.unknown_member_id, ErrorCode.illegal_generation})


class Member:
    """See the module. `random` gives numbers from 0 to 1 that spread the members' retries."""

    def __init__(self, options: MemberOptions, *, random: Callable[[], float]) -> None:
        self.options = options
        self.state = State.LOCATING
        self.holding = Holding()
        self.view: tuple[MemberView, ...] = ()
        self._random = random
        self._lags: Mapping[TaskId, int] = {}
        self._member_id = ""
        self._shutdown: str | None = None
        self._has_asked = False
        """Whether the coordinator may know the instance id through us."""
        self._generation = -1
        self._admission = 0
        self._requests = GroupRequests(options)
        self._assignments: Mapping[str, bytes] | None = None
        self._rejoin: str | None = None
        """Why to join again as soon as nothing is in flight."""
        self._connected = False
        self._in_flight: GroupRequest | None = None
        self._overtaken = 0
        """How many heartbeats are in flight before it; nothing depends on their answers any more."""
        self._deadline: float | None = None
        """When the request in flight has taken too long."""
        self._heartbeat_at = 0.0
        self._retry_at: float | None = None
        self._failures = 0
        self._timer: float | None = None
        self._effects: list[Effect] = []

    @property
    def identity(self) -> Identity:
        return Identity(
            self._member_id,
            self._generation,
            self._admission,
            generation_known=self.state not in (State.LOCATING, State.JOINING),
            settled=self.state is State.STABLE and self._rejoin is None,
        )

    def step(self, stimulus: Stimulus, now: float) -> list[Effect]:
        """Takes in what happened at `now` (seconds on any steady clock); returns what to do, in order."""
        if self.state is not State.ENDED:
            self._take(stimulus, now)
            self._go_on(now)
            self._set_timer()
        effects, self._effects = self._effects, []
        return effects

    # -- what happened ----------------------------------------------------------------------------------------------

    def _take(self, stimulus: Stimulus, now: float) -> None:
        match stimulus:
            case Start():
                self._effects.append(Locate())
            case Located():
                self._connected = True
                self._heartbeat_at = now
            case Unreachable(error):
                if error.retriable:
                    self._lose_connection(now)
                else:
                    self._effects.append(Deliver(Failed(error)))
                    self._end()
            case Answered() if self._overtaken:
                self._overtaken -= 1
            case Answered(answer):
                self._in_flight = None
                self._deadline = None
                self._take_answer(answer, now)
            case TimerFired():
                self._take_timer(now)
            case Computed(generation, assignments):
                if self.state is State.ASSIGNING and generation == self._generation:
                    self._assignments = assignments
            case ComputeFailed(generation, error):
                if self.state is State.ASSIGNING and generation == self._generation:
                    self._take_compute_failure(error, now)
            case Released(tasks, revocation):
                self._take_released(tasks, revocation)
            case Reported(lags):
                self._lags = dict(lags)
            case RebalanceWanted(reason, shutdown):
                self._rejoin = reason
                self._shutdown = reason if shutdown else self._shutdown
            case Doubted():
                self._heartbeat_at = now
            case Stop(leave):
                self._take_stop(leave=leave)

    def _take_timer(self, now: float) -> None:
        self._timer = None
        if self._deadline is not None and now >= self._deadline:
            self._lose_connection(now)
        elif self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._effects.append(Locate())

    def _take_compute_failure(self, error: StreamsError, now: float) -> None:
        if error.retriable:
            self._to_joining()
            self._lose_connection(now)  # for the pause that comes with it
        else:
            self._fail(error)

    def _take_released(self, tasks: frozenset[TaskId], revocation: int) -> None:
        self.holding.release(tasks, revocation)
        if self.state is State.STABLE:
            self._deliver(self.holding.given_back())
            self._hand_over()

    def _take_stop(self, *, leave: bool) -> None:
        known = self._member_id or (self._has_asked and self.options.instance_id is not None)
        if not leave or not known:
            self._end()
        elif self.state is not State.LEAVING:
            self.state = State.LEAVING
            if self._in_flight is not None and not isinstance(self._in_flight, Heartbeat):
                self._drop_connection()  # the coordinator may sit on a join for a minute
                self._retry_at = None
                self._effects.append(Locate())

    # -- answers ----------------------------------------------------------------------------------------------------

    def _take_answer(self, answer: GroupAnswer, now: float) -> None:
        if self.state is State.LEAVING:
            if isinstance(answer, Left):
                self._end()
            return
        if answer.error == ErrorCode.none:
            self._failures = 0
            match answer:
                case Joined():
                    self._take_joined(answer, now)
                case Synced():
                    self._take_synced(answer, now)
                case Beaten() | Left():
                    pass
        elif answer.error == ErrorCode.rebalance_in_progress:
            self._to_joining()
        elif answer.error == ErrorCode.member_id_required and isinstance(answer, Joined):
            self._member_id = answer.member_id
        elif answer.error in EXPELLED:
            self._be_expelled(answer.error)
        elif answer.error == ErrorCode.fenced_instance_id:
            self._lose_tasks("another process took over the instance id")
            self._effects.append(Deliver(Failed(InstanceFencedError(self.options.instance_id))))
            self._end()
        elif answer.error.retriable:
            self._lose_connection(now)
        else:
            self._fail(refusal(answer.error, self.options))

    def _take_joined(self, answer: Joined, now: float) -> None:
        self._member_id = answer.member_id
        self._generation = answer.generation
        self._assignments = {}
        self._heartbeat_at = now + self._heartbeat_interval()
        self.state = State.SYNCING
        if answer.leader != answer.member_id or answer.skip_assignment:
            return
        try:
            candidates = candidates_of(answer.members)
        except UserDataError as error:
            self._fail(error)
            return
        self.state = State.ASSIGNING
        self._assignments = None
        self._effects.append(Compute(self._generation, candidates))

    def _take_synced(self, answer: Synced, now: float) -> None:
        if not answer.assignment:  # the leader had not heard of this member
            self._lose_connection(now)
            return
        try:
            assignment = decode_assignment(answer.assignment)
            assignment.check()
        except StreamsError as error:
            self._fail(error)
            return
        self.state = State.STABLE
        self._deliver(self.holding.take(assignment, self._generation))
        self._heartbeat_at = now + self._heartbeat_interval()
        self._hand_over()
        self._take_view(assignment.members)

    def _take_view(self, members: tuple[MemberView, ...]) -> None:
        """A static member whose process was replaced gets its predecessor's assignment, in which it still is the
        predecessor. If queries would be sent to the wrong address, it joins again to make itself known."""
        mine = next((view for view in members if self._is_me(view)), None)
        if mine is not None and mine.endpoint != self.options.endpoint:
            self._rejoin = "the endpoint has changed"
        self.view = tuple(
            replace(view, member_id=self._member_id, endpoint=self.options.endpoint, host=self.options.host)
            if view is mine
            else view
            for view in members
        )

    def _is_me(self, view: MemberView) -> bool:
        instance_id = self.options.instance_id
        return view.member_id == self._member_id or (instance_id is not None and view.instance_id == instance_id)

    def _hand_over(self) -> None:
        """If others wait for tasks that are free by now, the group must hear of it: round two."""
        if self.holding.handed_over:
            self._rejoin = "revoked tasks are released"

    # -- setbacks ---------------------------------------------------------------------------------------------------

    def _to_joining(self) -> None:
        self.state = State.JOINING
        self._assignments = None

    def _be_expelled(self, error: ErrorCode) -> None:
        self._lose_tasks(
            "the coordinator no longer knows this member: it was silent for longer than the session timeout, "
            "or was removed"
            if error == ErrorCode.unknown_member_id
            else "the group went on without this member"
        )
        if error == ErrorCode.unknown_member_id:
            self._member_id = ""
        self._generation = -1
        self._to_joining()

    def _lose_tasks(self, reason: str) -> None:
        told = self.holding.lose(reason)
        self._admission += len(told)
        self._deliver(told)
        self._rejoin = None
        self.view = ()

    def _lose_connection(self, now: float) -> None:
        """Drops the connection and looks for the coordinator again after a pause."""
        self._drop_connection()
        if self.state in (State.ASSIGNING, State.SYNCING):
            self._to_joining()
        self._retry_at = now + self._pause()

    def _drop_connection(self) -> None:
        if self._connected:
            self._effects.append(Disconnect())
        self._connected = False
        self._in_flight = None
        self._overtaken = 0
        self._deadline = None

    def _pause(self) -> float:
        longest = min(self.options.backoff_ms << min(self._failures, 16), self.options.backoff_max_ms)
        self._failures += 1
        return longest / 1000 * (0.5 + self._random() / 2)

    def _fail(self, error: StreamsError) -> None:
        self._effects.append(Deliver(Failed(error)))
        self._take_stop(leave=True)

    def _end(self) -> None:
        self._drop_connection()
        self.state = State.ENDED
        self._effects += [SetTimer(None), Finish()]

    # -- what is next -----------------------------------------------------------------------------------------------

    def _go_on(self, now: float) -> None:
        """If nothing is in flight, sends what the state asks for. Heartbeats are overtaken: the bundled broker sits on
        them until there is news, or until the member sends something else."""
        if not self._connected or not (self._in_flight is None or isinstance(self._in_flight, Heartbeat)):
            return
        if self.state is State.LOCATING or (self.state is State.STABLE and self._rejoin is not None):
            self._to_joining()
        patient_ms = self.options.rebalance_timeout_ms + self.options.request_timeout_ms
        member_id, generation = self._member_id, self._generation
        if self.state is State.JOINING:
            reason, self._rejoin = self._rejoin, None
            self._has_asked = True
            request = self._requests.join(member_id, generation, self.holding, self._lags, reason, self._shutdown)
            self._send(request, now, patient_ms)
        elif self.state is State.SYNCING or (self.state is State.ASSIGNING and self._assignments is not None):
            self.state = State.SYNCING
            self._send(self._requests.sync(member_id, generation, self._assignments or {}), now, patient_ms)
        elif self.state is State.LEAVING:
            self._send(self._requests.leave(member_id), now, self.options.request_timeout_ms)
        elif self.state in (State.STABLE, State.ASSIGNING) and now >= self._heartbeat_at and self._in_flight is None:
            self._heartbeat_at = now + self._heartbeat_interval()
            self._send(self._requests.heartbeat(member_id, generation), now, self.options.request_timeout_ms)

    def _heartbeat_interval(self) -> float:
        interval_ms = self.options.heartbeat_interval_ms
        if self.holding.moving:
            interval_ms = min(interval_ms, self.options.moving_heartbeat_interval_ms)
        return interval_ms / 1000

    def _deliver(self, events: Sequence[MembershipEvent]) -> None:
        self._effects += [Deliver(event) for event in events]

    def _send(self, request: GroupRequest, now: float, timeout_ms: int) -> None:
        self._overtaken += self._in_flight is not None
        self._in_flight = request
        self._deadline = now + timeout_ms / 1000
        self._effects.append(Send(request))

    def _set_timer(self) -> None:
        if self.state is State.ENDED:
            return
        timer = self._retry_at if self._deadline is None else self._deadline
        if timer is None and self._connected and self.state in (State.STABLE, State.ASSIGNING):
            timer = self._heartbeat_at
        if timer != self._timer:
            self._timer = timer
            self._effects.append(SetTimer(timer))
