"""A worker's place in a real consumer group: drives `Member` with a socket, a clock and threads.

    worker's thread            poll ◄── events ◄─┐      commit, committed ──► own connection (`OffsetClient`)
                               released, stop ──►│ inbox
    "headrace-group-…"         Member: join, sync, heartbeat on its connection to the coordinator
    "headrace-leader-…"        in the leader only: looks up topics and computes the assignment while heartbeats go on

The member's thread sleeps until the coordinator answers, the timer is due, or something is put into the inbox.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from kio.schema.errors import ErrorCode

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.membership.committed_offset import CommittedOffset
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
from streams.runtime.membership.errors import MembershipError
from streams.runtime.membership.events import Assigned, Failed, Lost, MembershipEvent, Revoked
from streams.runtime.membership.group_metadata import encode_group_metadata
from streams.runtime.membership.identity import Identity
from streams.runtime.membership.leader import lead
from streams.runtime.membership.member import Member
from streams.runtime.membership.member_view import MemberView
from streams.runtime.membership.offset_client import OffsetClient
from streams.runtime.membership.options import MemberOptions
from streams.runtime.membership.standing import Standing
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.wakeup import Wakeup
from streams.wire.client import Client
from streams.wire.connection import Connection
from streams.wire.errors import WireError

log = logging.getLogger(__name__)

LEAVE_TIMEOUT_S = 5.0
"""How long `stop` waits for the member to take its leave."""
CONFIRMING = frozenset({ErrorCode.none, ErrorCode.rebalance_in_progress})
"""Answers to a member whom the group still has."""
OUTSIDER = Identity(member_id="not-a-member")
"""Stands for this process before it is a member. (With an empty member id the coordinator would check nothing.)"""


class GroupMembership:
    """See `Membership` for the calls. Its threads are daemons.

    `universe` is called in a thread of its own whenever this member leads a rebalance, and may block while it looks up
    topics. A `StreamsError` it raises ends the membership with `Failed`, unless it is `retriable`.
    `commit_timeout_s` limits `commit` and `committed`, retries included.
    """

    def __init__(
        self,
        client: Client,
        options: MemberOptions,
        universe: Callable[[], TaskUniverse],
        *,
        commit_timeout_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.options = options
        self._client = client
        self._universe = universe
        self._leading = threading.Lock()
        self._clock = clock
        self._member = Member(options, random=spread)
        self._standing = Standing()
        self._offsets = OffsetClient(
            client, options, self._standing, doubt=self._doubt, timeout_s=commit_timeout_s, clock=clock
        )
        self._events: deque[MembershipEvent] = deque()
        self._view: tuple[MemberView, ...] = ()
        self._polled_revocations = 0
        self._polled_losses = 0
        self._handled_losses = 0
        """Those after which the worker has asked for more: it has dropped what it had."""
        self._asked_at = self._confirmed_at = -math.inf
        self._identity = OUTSIDER
        """As of the last loss the worker knows of: after one it does not know of, it must not pass for a member."""
        self._inbox: deque[Stimulus] = deque()
        self._wakeup = Wakeup()
        self._connection: Connection | None = None
        self._timer: float | None = None
        self._unreachable_since: float | None = None
        self._lost_at: int | None = None
        """The same for people, by the clock on the wall."""
        self._finished = False
        self._thread = threading.Thread(target=self._run, name=f"headrace-group-{options.group_id}", daemon=True)

    # -- the worker's side --------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._inbox.append(Start())
        self._thread.start()

    def poll(self) -> Sequence[MembershipEvent]:
        self._handled_losses = self._polled_losses
        self._refresh_identity()
        events: list[MembershipEvent] = []
        while self._events:
            event = self._events.popleft()
            self._polled_revocations += isinstance(event, Revoked)
            self._polled_losses += isinstance(event, Lost)
            events.append(event)
        return events

    def released(self, tasks: frozenset[TaskId]) -> None:
        self._put(Released(tasks, self._polled_revocations))

    def commit(self, offsets: Mapping[tuple[str, int], CommittedOffset]) -> None:
        self._offsets.commit(offsets, admission=self._polled_losses)

    def committed(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], CommittedOffset | None]:
        return self._offsets.committed(partitions)

    def members(self) -> Sequence[MemberView]:
        return self._view

    def report(self, task_lags: Mapping[TaskId, int]) -> None:
        self._put(Reported(dict(task_lags)))

    def rebalance(self, reason: str) -> None:
        self._put(RebalanceWanted(reason))

    def end_application(self, reason: str) -> None:
        self._put(RebalanceWanted(reason, shutdown=True))

    def group_metadata(self) -> bytes:
        self._refresh_identity()
        return encode_group_metadata(
            group_id=self.options.group_id,
            generation=self._identity.generation,
            member_id=self._identity.member_id,
            instance_id=self.options.instance_id,
        )

    @property
    def generation_known(self) -> bool:
        identity = self._standing.identity
        return identity.generation_known and identity.admission == self._polled_losses

    @property
    def place_held(self) -> bool:
        # The coordinator counts from when it heard of us, which is not before we asked what it has answered.
        confirmed = self._clock() - self._confirmed_at < self.options.session_timeout_ms / 1000
        return confirmed and self._standing.identity.admission == self._handled_losses

    @property
    def unreachable_since(self) -> int | None:
        return self._lost_at

    def stop(self, *, leave: bool) -> None:
        """Returns when the coordinator has been told, or after `LEAVE_TIMEOUT_S` seconds."""
        self._put(Stop(leave))
        if self._thread.is_alive():
            self._thread.join(LEAVE_TIMEOUT_S)
        if self._thread.is_alive():
            log.warning("leave_timed_out: group %s will notice at the session timeout", self.options.group_id)
        else:
            self._wakeup.close()
        self._offsets.close()

    def _refresh_identity(self) -> None:
        identity = self._standing.identity
        if identity.admission == self._polled_losses and identity.member_id:
            self._identity = identity

    def _doubt(self) -> None:
        self._put(Doubted())

    def _put(self, stimulus: Stimulus) -> None:
        self._inbox.append(stimulus)
        self._wakeup.wake()

    # -- the member's thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._finished:
                stimulus = self._next()
                effects = self._member.step(stimulus, self._clock())
                self._standing.change(self._member.identity)  # before the leader's thread asks which generation it is
                for effect in effects:
                    self._perform(effect)
        except Exception as error:
            log.exception("group_member_crashed")
            failure = MembershipError(f"the group member crashed ({type(error).__name__}: {error}); this is a bug")
            failure.__cause__ = error
            self._events.append(Failed(failure))
        finally:
            self._disconnect()
            self._standing.change(Identity(admission=self._member.identity.admission))

    def _next(self) -> Stimulus:
        """Waits for something to happen."""
        while True:
            if self._inbox:
                return self._inbox.popleft()
            remaining = None if self._timer is None else self._timer - self._clock()
            if remaining is not None and remaining <= 0:
                self._timer = None
                return TimerFired()
            answer = None
            if self._connection is None:
                self._wakeup.sleep(remaining)
            else:
                try:
                    answer = self._connection.receive(timeout_s=remaining, wake=self._wakeup.reader)
                except WireError as error:
                    return self._unreachable(error)
            self._wakeup.clear()
            if answer is not None:
                if answer.error in CONFIRMING:
                    self._confirmed_at = self._asked_at
                return Answered(answer)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Locate():
                self._locate()
            case Disconnect():
                self._disconnect()
            case Send(request):
                self._send(request)
            case Compute():
                threading.Thread(
                    target=self._compute, args=(effect,), name=f"headrace-leader-{self.options.group_id}", daemon=True
                ).start()
            case Deliver(event):
                self._deliver(event)
            case SetTimer(at):
                self._timer = at
            case Finish():
                self._finished = True

    def _locate(self) -> None:
        self._disconnect()
        try:
            self._connection = self._client.connect_coordinator(self.options.group_id)
        except StreamsError as error:
            self._inbox.appendleft(self._unreachable(error))
        else:
            if self._unreachable_since is not None:
                lasted = self._clock() - self._unreachable_since
                log.info("coordinator_reachable: group %s again after %.1f s", self.options.group_id, lasted)
                self._unreachable_since = self._lost_at = None
            self._inbox.appendleft(Located())

    def _send(self, request: GroupRequest) -> None:
        assert self._connection is not None, "a member sends only when it is connected"
        self._asked_at = self._clock()
        try:
            self._connection.send(request)
        except WireError as error:
            self._inbox.appendleft(self._unreachable(error))

    def _unreachable(self, error: StreamsError) -> Unreachable:
        first = self._unreachable_since is None
        if first:
            self._unreachable_since = self._clock()
            self._lost_at = int(time.time() * 1000)
        log.log(
            logging.WARNING if first else logging.DEBUG,
            "coordinator_unreachable: group %s goes on with its tasks and keeps trying: %s",
            self.options.group_id,
            error,
        )
        self._disconnect()
        return Unreachable(error)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _deliver(self, event: MembershipEvent) -> None:
        match event:
            case Assigned(tasks, generation):
                log.info(
                    "tasks_assigned: generation %d of group %s: %s", generation, self.options.group_id, text(tasks)
                )
            case Revoked(tasks):
                log.info("tasks_revoked: in group %s: %s", self.options.group_id, text(tasks))
            case Lost(reason):
                log.warning("tasks_lost: in group %s: %s", self.options.group_id, reason)
            case Failed(error):
                log.error("membership_failed: in group %s: %s", self.options.group_id, error)
        self._view = self._member.view
        self._events.append(event)

    def _compute(self, order: Compute) -> None:
        """In a thread of the leader's; one after the other, and only what is still wanted."""
        with self._leading:
            if self._standing.identity.generation != order.generation:
                return
            try:
                assignments = lead(self._universe(), order.candidates, order.generation, self.options.rules)
            except StreamsError as error:
                self._put(ComputeFailed(order.generation, error))
            except Exception as error:
                failure = MembershipError(f"cannot assign tasks ({type(error).__name__}: {error})")
                failure.__cause__ = error
                self._put(ComputeFailed(order.generation, failure))
            else:
                self._put(Computed(order.generation, assignments))


def text(tasks: Collection[TaskId]) -> str:
    return " ".join(map(str, sorted(tasks))) or "none"
