"""A classic consumer group: its members, its generation, and the rules that need no events.

The events live beside it, one file each: `join`, `sync`, `heartbeat`, `leave`, `expiry`, with the two phases of a
rebalance in `rebalance`. They are the only ones to mutate a group, and return `effects`; nothing here does I/O, reads
a clock or draws random numbers.

Source: `ClassicGroup` of Apache Kafka's group coordinator; KIP-345 (static members), KIP-394 (known member ids).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from kio.schema.errors import ErrorCode

from broker.groups.kind import GroupType
from broker.groups.member import Member, Protocol
from broker.groups.requests import JoinedMember, MemberIdentity
from broker.groups.state import TRANSITIONS, GroupState


@dataclass(slots=True, kw_only=True)
class Group:
    """Mutable state of one group. The order of `members` is the order of joining."""

    type: ClassVar[GroupType] = "classic"
    group_id: str
    state: GroupState = GroupState.EMPTY
    state_since_ms: int
    """When the group entered its state, in ms since the epoch; offsets of an empty group age from here."""
    generation: int = 0
    """Grows by one at the end of every join phase and never shrinks, not even over a restart."""
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader: str | None = None
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    static_ids: dict[str, str] = field(default_factory=dict[str, str])
    """Instance id → id of the member that holds it now."""
    pending: set[str] = field(default_factory=set[str])
    """Ids handed out with MEMBER_ID_REQUIRED whose owners have not come back; they hold up the join phase."""
    pending_sync: set[str] = field(default_factory=set[str])
    """Members that have a generation but not yet its assignment."""
    initial_remaining_ms: int | None = None
    """None outside the join phase of a group that was empty; else how much longer that phase may be prolonged."""
    newcomers: bool = False
    """Somebody joined since the initial phase was last prolonged."""

    # -- state -------------------------------------------------------------------------------------------------------
    def enter(self, state: GroupState, now_ms: int) -> None:
        """Takes an edge of `state.TRANSITIONS`; any other is a bug here, not a client's fault."""
        if state not in TRANSITIONS[self.state]:
            raise AssertionError(f"group {self.group_id!r}: no edge {self.state.value} -> {state.value}")
        self.state = state
        self.state_since_ms = now_ms

    def is_in(self, *states: GroupState) -> bool:
        return self.state in states

    # -- members -----------------------------------------------------------------------------------------------------
    def add(self, member: Member, protocol_type: str) -> None:
        """Adds a member; the first one leads and sets the protocol type."""
        if not self.members:
            self.protocol_type = protocol_type
        if self.leader is None:
            self.leader = member.member_id
        self.members[member.member_id] = member
        if member.instance_id is not None:
            self.static_ids[member.instance_id] = member.member_id
        self.pending.discard(member.member_id)

    def remove(self, member_id: str) -> Member:
        """Removes a member; if it led, the next in order of joining leads."""
        member = self.members.pop(member_id)
        if member.instance_id is not None and self.static_ids.get(member.instance_id) == member_id:
            del self.static_ids[member.instance_id]
        self.pending_sync.discard(member_id)
        if self.leader == member_id:
            self.leader = next(iter(self.members), None)
        return member

    def replace_static(self, instance_id: str, new_member_id: str) -> Member:
        """Gives the member behind `instance_id` a new id, with everything it had (its place in the order, too)."""
        old_member_id = self.static_ids[instance_id]
        member = self.members[old_member_id]
        member.member_id = new_member_id
        self.members = {m.member_id: m for m in self.members.values()}
        self.static_ids[instance_id] = new_member_id
        if old_member_id in self.pending_sync:
            self.pending_sync.remove(old_member_id)
            self.pending_sync.add(new_member_id)
        if self.leader == old_member_id:
            self.leader = new_member_id
        return member

    def check(self, who: MemberIdentity) -> ErrorCode:
        """Whether `who` is a current member: none, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for a replaced one."""
        if who.instance_id is not None:
            holder = self.static_ids.get(who.instance_id)
            if holder is not None and holder != who.member_id:
                return ErrorCode.fenced_instance_id
            if holder is None:
                return ErrorCode.unknown_member_id
        return ErrorCode.none if who.member_id in self.members else ErrorCode.unknown_member_id

    # -- the join phase ----------------------------------------------------------------------------------------------
    @property
    def all_joined(self) -> bool:
        return not self.pending and all(member.join_ticket is not None for member in self.members.values())

    @property
    def rebalance_timeout_ms(self) -> int:
        """The most patient member's timeout: how long both phases of a rebalance may take."""
        return max([1, *(member.rebalance_timeout_ms for member in self.members.values())])

    def elect(self) -> bool:
        """Keeps the leader if it rejoined, else takes the first that did. False if nobody rejoined."""
        if self.leader is not None and self.members[self.leader].join_ticket is not None:
            return True
        for member in self.members.values():
            if member.join_ticket is not None:
                self.leader = member.member_id
                return True
        return False

    # -- protocols ---------------------------------------------------------------------------------------------------
    def common_protocols(self) -> set[str]:
        """Names of the protocols that every member speaks."""
        names = [{protocol.name for protocol in member.protocols} for member in self.members.values()]
        return set[str].intersection(*names) if names else set()

    def supports(self, protocol_type: str, protocols: tuple[Protocol, ...]) -> bool:
        """Whether one who speaks `protocols` can be a member beside those who are there."""
        if not protocol_type or not protocols:
            return False
        if not self.members:
            return True
        return protocol_type == self.protocol_type and not self.common_protocols().isdisjoint(p.name for p in protocols)

    def select_protocol(self) -> str:
        """Each member votes for the first of its protocols that all speak; ties go to the earliest vote."""
        common = self.common_protocols()
        votes: dict[str, int] = {}
        for member in self.members.values():
            choice = next(protocol.name for protocol in member.protocols if protocol.name in common)
            votes[choice] = votes.get(choice, 0) + 1
        return max(votes, key=lambda name: votes[name])

    def roster(self) -> tuple[JoinedMember, ...]:
        """What the leader needs to assign: every member with its metadata for the protocol in force."""
        return tuple(
            JoinedMember(member_id=m.member_id, instance_id=m.instance_id, metadata=m.metadata(self.protocol_name))
            for m in self.members.values()
        )
