"""A model of Kafka's classic group coordinator, without I/O, for members of our own. One group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kio.schema.errors import ErrorCode

from streams.wire.requests import (
    Beaten,
    Heartbeat,
    Joined,
    JoinedMember,
    JoinGroup,
    LeaveGroup,
    Left,
    Synced,
    SyncGroup,
)

Reply = Callable[[Any], None]


@dataclass
class Registered:
    """A member as the coordinator keeps it."""

    member_id: str
    instance_id: str | None
    metadata: bytes
    session_timeout: float
    rebalance_timeout: float
    seen: float
    joining: Reply | None = None
    syncing: Reply | None = None


class Coordinator:
    """`assignments` of the current generation stay readable for the tests."""

    def __init__(self) -> None:
        self.state: Literal["empty", "preparing", "completing", "stable"] = "empty"
        self.generation = 0
        self.leader = ""
        self.members: dict[str, Registered] = {}
        self.pending: set[str] = set()
        self.assignments: dict[str, bytes] = {}
        self.rebalances = 0
        self._deadline = 0.0
        self._ids = 0
        self._replaced: set[str] = set()

    def handle(self, request: Any, reply: Reply, now: float) -> None:
        match request:
            case JoinGroup():
                self.join(request, reply, now)
            case SyncGroup():
                self.sync(request, reply, now)
            case Heartbeat():
                reply(Beaten(error=self.check(request, now) or self.moving()))
            case LeaveGroup():
                self.leave(request, reply, now)
            case _:
                raise TypeError(request)

    def moving(self) -> ErrorCode:
        return ErrorCode.rebalance_in_progress if self.state == "preparing" else ErrorCode.none

    def check(self, request: Any, now: float) -> ErrorCode | None:
        if request.member_id in self._replaced and request.instance_id is not None:
            return ErrorCode.fenced_instance_id
        member = self.members.get(request.member_id)
        if member is None:
            return ErrorCode.unknown_member_id
        member.seen = now
        return ErrorCode.illegal_generation if request.generation != self.generation else None

    # -- join -------------------------------------------------------------------------------------------------------

    def join(self, request: JoinGroup, reply: Reply, now: float) -> None:
        if request.member_id and request.member_id in self._replaced:
            reply(Joined(error=ErrorCode.fenced_instance_id))
        elif request.instance_id is not None and not request.member_id:
            self.join_static(request, reply, now)
        elif not request.member_id:
            member_id = self.new_id()
            self.pending.add(member_id)
            reply(Joined(error=ErrorCode.member_id_required, member_id=member_id))
        elif request.member_id in self.members:
            self.join_again(request, reply, now)
        elif request.member_id in self.pending:
            self.pending.discard(request.member_id)
            self.admit(request, request.member_id, reply, now)
        else:
            reply(Joined(error=ErrorCode.unknown_member_id))

    def new_id(self) -> str:
        self._ids += 1
        return f"member-{self._ids:03}"

    def admit(self, request: JoinGroup, member_id: str, reply: Reply, now: float) -> None:
        self.members[member_id] = Registered(
            member_id=member_id,
            instance_id=request.instance_id,
            metadata=request.metadata,
            session_timeout=request.session_timeout_ms / 1000,
            rebalance_timeout=request.rebalance_timeout_ms / 1000,
            seen=now,
            joining=reply,
        )
        self.leader = self.leader or member_id
        self.prepare(now)

    def join_static(self, request: JoinGroup, reply: Reply, now: float) -> None:
        old = next((m for m in self.members.values() if m.instance_id == request.instance_id), None)
        if old is None:
            self.admit(request, self.new_id(), reply, now)
            return
        new_id = self.new_id()
        self.replace(old, new_id, request.metadata, now)
        if self.state == "stable":
            leads = self.leader == new_id
            reply(
                Joined(
                    error=ErrorCode.none,
                    generation=self.generation,
                    leader=self.leader,
                    member_id=new_id,
                    skip_assignment=leads,
                    members=self.roster() if leads else (),
                )
            )
        else:
            old.joining = reply
            self.prepare(now)

    def replace(self, old: Registered, new_id: str, metadata: bytes, now: float) -> None:
        old_id = old.member_id
        del self.members[old_id]
        self._replaced.add(old_id)
        if old.joining is not None:
            old.joining(Joined(error=ErrorCode.fenced_instance_id))
        if old.syncing is not None:
            old.syncing(Synced(error=ErrorCode.fenced_instance_id))
        old.member_id, old.metadata, old.seen, old.joining, old.syncing = new_id, metadata, now, None, None
        self.members[new_id] = old
        self.assignments[new_id] = self.assignments.pop(old_id, b"")
        if self.leader == old_id:
            self.leader = new_id

    def join_again(self, request: JoinGroup, reply: Reply, now: float) -> None:
        member = self.members[request.member_id]
        member.seen = now
        changed = member.metadata != request.metadata
        member.metadata = request.metadata
        if self.state == "preparing" or changed or (self.state == "stable" and self.leader == request.member_id):
            member.joining = reply
            self.prepare(now)
        else:
            leads = self.leader == member.member_id
            reply(
                Joined(
                    error=ErrorCode.none,
                    generation=self.generation,
                    leader=self.leader,
                    member_id=member.member_id,
                    members=self.roster() if leads else (),
                )
            )

    def prepare(self, now: float) -> None:
        if self.state != "preparing":
            self.state = "preparing"
            self.rebalances += 1
            self._deadline = now + max(member.rebalance_timeout for member in self.members.values())
            for member in self.members.values():
                if member.syncing is not None:
                    member.syncing(Synced(error=ErrorCode.rebalance_in_progress))
                    member.syncing = None
        self.complete_join(now)

    def complete_join(self, now: float) -> None:
        if self.state != "preparing":
            return
        if now >= self._deadline:
            self.members = {i: m for i, m in self.members.items() if m.joining is not None}
        if not self.members:
            self.state, self.leader = "empty", ""
            return
        if any(member.joining is None for member in self.members.values()):
            return
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        self.generation += 1
        self.state = "completing"
        self.assignments = {}
        for member in self.members.values():
            assert member.joining is not None
            reply, member.joining, member.seen = member.joining, None, now
            leads = member.member_id == self.leader
            reply(
                Joined(
                    error=ErrorCode.none,
                    generation=self.generation,
                    leader=self.leader,
                    member_id=member.member_id,
                    members=self.roster() if leads else (),
                )
            )

    def roster(self) -> tuple[JoinedMember, ...]:
        return tuple(
            JoinedMember(member_id=m.member_id, instance_id=m.instance_id, metadata=m.metadata)
            for m in self.members.values()
        )

    # -- sync, leave, time --------------------------------------------------------------------------------------------

    def sync(self, request: SyncGroup, reply: Reply, now: float) -> None:
        error = self.check(request, now)
        if error is not None:
            reply(Synced(error=error))
        elif self.state == "preparing":
            reply(Synced(error=ErrorCode.rebalance_in_progress))
        elif self.state == "stable":
            reply(Synced(error=ErrorCode.none, assignment=self.assignments.get(request.member_id, b"")))
        else:
            self.members[request.member_id].syncing = reply
            if request.member_id == self.leader:
                self.assignments = dict(request.assignments)
                self.state = "stable"
                for member in self.members.values():
                    if member.syncing is not None:
                        answer, member.syncing, member.seen = member.syncing, None, now
                        answer(Synced(error=ErrorCode.none, assignment=self.assignments.get(member.member_id, b"")))

    def leave(self, request: LeaveGroup, reply: Reply, now: float) -> None:
        if request.member_id in self._replaced:
            reply(Left(error=ErrorCode.fenced_instance_id))
        elif self.members.pop(request.member_id, None) is None:
            reply(Left(error=ErrorCode.unknown_member_id))
        else:
            reply(Left(error=ErrorCode.none))
            self.lost_member(now)

    def expire(self, now: float) -> None:
        """Drops the members that were silent for too long, and those that hold up a rebalance."""
        silent = [
            m.member_id
            for m in self.members.values()
            if m.joining is None and m.syncing is None and now >= m.seen + m.session_timeout
        ]
        for member_id in silent:
            del self.members[member_id]
        if silent:
            self.lost_member(now)
        self.complete_join(now)

    def lost_member(self, now: float) -> None:
        if not self.members:
            self.state, self.leader = "empty", ""
            return
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        self.prepare(now)
