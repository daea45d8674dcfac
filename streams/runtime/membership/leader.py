"""The leader's part of a rebalance: everybody's subscription in, everybody's assignment out."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Sequence

from streams.runtime.membership.assignor import assign
from streams.runtime.membership.handover import handover
from streams.runtime.membership.member_view import MemberView
from streams.runtime.membership.place import Candidate
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Assignment, decode_subscription, encode_assignment, pack_members
from streams.wire.requests.join_group import JoinedMember

log = logging.getLogger(__name__)

MOST_VIEW_BYTES = 700_000
"""All assignments go into one record of the coordinator's log, which holds 1 MiB by default. What everybody has is told
to everybody, so beyond some hundred members that would be most of it."""


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


def lead(
    universe: TaskUniverse, candidates: Sequence[Candidate], generation: int, rules: AssignmentRules
) -> dict[str, bytes]:
    """Member id -> the bytes for SyncGroup."""
    shares = handover(assign(universe, candidates, rules), candidates)
    moving = any(share.withdrawn for share in shares.values())
    shutdown = next((each.subscription.shutdown for each in candidates if each.subscription.shutdown), None)
    members = tuple(
        MemberView(
            member_id=candidate.member_id,
            instance_id=candidate.instance_id,
            host=candidate.subscription.host,
            endpoint=candidate.subscription.endpoint,
            tasks=shares[candidate.member_id].tasks,
            standbys=shares[candidate.member_id].standbys,
        )
        for candidate in sorted(candidates, key=lambda candidate: candidate.rank)
    )
    packed = pack_members(members)
    if len(zlib.compress(packed)) * len(members) > MOST_VIEW_BYTES:
        log.warning(
            "group_too_large_for_views: its %d members are not told of each other, so that queries are answered only "
            "by the worker that has the key",
            len(members),
        )
        members, packed = (), pack_members(())
    return {
        member_id: encode_assignment(
            Assignment(
                generation=generation,
                tasks=share.tasks,
                withdrawn=share.withdrawn,
                members=members,
                moving=moving,
                shutdown=shutdown,
                standbys=share.standbys,
                warming=share.warming,
            ),
            [pair for task in share.tasks for pair in universe.inputs[task]],
            packed,
        )
        for member_id, share in shares.items()
    }
