"""The leader's part of a rebalance: everybody's subscription in, everybody's assignment out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streams.runtime.membership.assignor import Candidate, assign
from streams.runtime.membership.handover import handover
from streams.runtime.membership.member_view import MemberView
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Assignment, decode_subscription, encode_assignment
from streams.wire.requests.join_group import JoinedMember


def candidates_of(members: Iterable[JoinedMember]) -> tuple[Candidate, ...]:
    """The members of the group as JoinGroup's answer tells its leader of them.

    Raises:
        UserDataError: one of them says something this worker does not understand.
    """
    return tuple(
        Candidate(
            member_id=member.member_id,
            instance_id=member.instance_id,
            subscription=decode_subscription(
                member.metadata, sender=f"group member {member.instance_id or member.member_id}"
            ),
        )
        for member in members
    )


def lead(universe: TaskUniverse, candidates: Sequence[Candidate], generation: int) -> dict[str, bytes]:
    """Member id -> the bytes for SyncGroup."""
    shares = handover(assign(universe, candidates), candidates)
    moving = any(share.withdrawn for share in shares.values())
    shutdown = next((each.subscription.shutdown for each in candidates if each.subscription.shutdown), None)
    members = tuple(
        MemberView(
            member_id=candidate.member_id,
            instance_id=candidate.instance_id,
            host=candidate.subscription.host,
            endpoint=candidate.subscription.endpoint,
            tasks=shares[candidate.member_id].tasks,
        )
        for candidate in sorted(candidates, key=lambda candidate: candidate.rank)
    )
    return {
        member_id: encode_assignment(
            Assignment(
                generation=generation,
                tasks=share.tasks,
                withdrawn=share.withdrawn,
                members=members,
                moving=moving,
                shutdown=shutdown,
            ),
            [pair for task in share.tasks for pair in universe.inputs[task]],
        )
        for member_id, share in shares.items()
    }
