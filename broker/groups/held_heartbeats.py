"""Heartbeats that are answered when there is news, as a fetch is when there are records.

A classic member learns from the answer to its next heartbeat that its group rebalances. With everybody's defaults that
is up to three seconds away, twice so with cooperative rebalancing. So a heartbeat that has nothing to tell waits here:
until it has, until its client sends another request on that connection (answers keep their order, so that would wait
too), or until the hold is over. To its client it is an answer that was slow.

A hold is short against the session: Kafka's default heartbeat interval is a fifteenth of its default session timeout,
and so is a hold. Whoever beats less often than it might is not held up by more than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from kio.schema.errors import ErrorCode

from broker.groups.state import GroupState
from broker.groups.timer import Timer, TimerKind
from broker.server.held_answer import HeldAnswer

if TYPE_CHECKING:
    from broker.groups.coordinator import GroupCoordinator
    from broker.groups.group import Group
    from broker.groups.requests import MemberIdentity

SESSION_TO_HOLD = 15


@dataclass(slots=True, eq=False)
class Held:
    """`encode` makes the answer of a code."""

    who: MemberIdentity
    generation: int
    answer: HeldAnswer
    encode: Callable[[ErrorCode], Any]


class HeldHeartbeats:
    """Of all groups; part of their coordinator."""

    def __init__(self, coordinator: GroupCoordinator) -> None:
        self.coordinator = coordinator
        self.groups: dict[str, dict[str, Held]] = {}
        """Group id → member id → its heartbeat."""

    def hold(
        self, group_id: str, who: MemberIdentity, generation: int, encode: Callable[[ErrorCode], Any]
    ) -> HeldAnswer | None:
        """Holds a heartbeat of which the coordinator has just said that it has nothing to tell; None: it is not worth
        it."""
        coordinator = self.coordinator
        self.release(group_id, who.member_id)  # a former one, of another connection
        session_ms = coordinator.groups[group_id].members[who.member_id].session_timeout_ms
        hold_ms = min(session_ms // SESSION_TO_HOLD, coordinator.settings.heartbeat_hold_ms)
        if hold_ms <= 0:
            return None
        answer = HeldAnswer(asyncio.get_running_loop(), partial(self.release, group_id, who.member_id))
        held = Held(who, generation, answer, encode)
        self.groups.setdefault(group_id, {})[who.member_id] = held
        answer.add_done_callback(lambda _: self.forget(group_id, held))
        coordinator.timers.schedule((group_id, hold_timer(who.member_id)), coordinator.clock() + hold_ms)
        coordinator.alarm.arm()
        return answer

    def release(self, group_id: str, member_id: str) -> None:
        """Answers that there is nothing to tell."""
        held = self.groups.get(group_id, {}).get(member_id)
        if held is not None:
            self.settle(group_id, held, ErrorCode.none)

    def tell(self, group_id: str) -> None:
        """Something has happened in the group: answers those whom it concerns, as if they beat now."""
        if group_id not in self.groups:
            return
        coordinator = self.coordinator
        group = coordinator.groups.get(group_id)
        if group is not None and group.type == "classic" and cast("Group", group).is_in(GroupState.DEAD):
            return  # it is becoming one of the other kind; that one will tell them
        for held in list(self.groups[group_id].values()):
            if group is None or coordinator.kind_of(group).has_news(group, held.who, held.generation):
                self.forget(group_id, held)
                held.answer.settle(held.encode(coordinator.heartbeat(group_id, held.who, held.generation)))

    def cancel_all(self) -> None:
        for group in self.groups.values():
            for held in group.values():
                held.answer.cancel()
        self.groups.clear()

    def settle(self, group_id: str, held: Held, code: ErrorCode) -> None:
        self.forget(group_id, held)
        held.answer.settle(held.encode(code))

    def forget(self, group_id: str, held: Held) -> None:
        """It is answered, or its client has gone."""
        group = self.groups.get(group_id, {})
        member_id = held.who.member_id
        if group.get(member_id) is held:
            del group[member_id]
            self.coordinator.timers.cancel((group_id, hold_timer(member_id)))
            if not group:
                del self.groups[group_id]


def hold_timer(member_id: str) -> Timer:
    return Timer(TimerKind.HOLD, member_id)
