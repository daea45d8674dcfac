"""What of an assignment may happen at once: moving a task takes two rounds, so that it never has two owners.

    round 1   the old owner claims the task: it is withdrawn from it and given to nobody.
              The old owner stops, commits and closes it, and joins again without the claim.
    round 2   nobody claims it: the new owner gets it.

All other tasks run on through both. Whoever keeps a standby replica of a task that it is going to run goes on feeding
it in round 1; the old owner keeps the state as a standby from round 1 on, if it is to be one.
Source: KIP-429 (incremental cooperative rebalancing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from streams.plan.task_id import TaskId
from streams.runtime.membership.assignor import Target
from streams.runtime.membership.place import Candidate


class Share(Struct, frozen=True, kw_only=True):
    """`tasks` the member may run now, `withdrawn` those it claims and must give up, `standbys` those whose state it
    keeps up to date, `warming` those of the latter that move there when they have caught up."""

    tasks: frozenset[TaskId]
    withdrawn: frozenset[TaskId]
    standbys: frozenset[TaskId] = frozenset()
    warming: frozenset[TaskId] = frozenset()


def handover(targets: Mapping[str, Target], candidates: Sequence[Candidate]) -> dict[str, Share]:
    """Member id -> its share of this round. `targets` is what `assign` returned for the same candidates."""
    claimants: dict[TaskId, set[str]] = {}
    for candidate in candidates:
        for task in candidate.subscription.claimed:
            claimants.setdefault(task, set()).add(candidate.member_id)
    wanted = frozenset(task for target in targets.values() for task in target.active)
    nobody: set[str] = set()
    shares: dict[str, Share] = {}
    for candidate in candidates:
        told, target, own = candidate.subscription, targets[candidate.member_id], {candidate.member_id}
        tasks = frozenset(task for task in target.active if task in told.held or claimants.get(task, nobody) <= own)
        shares[candidate.member_id] = Share(
            tasks=tasks,
            withdrawn=(told.claimed - target.active) & wanted,
            standbys=target.standby | ((target.active - tasks) & told.standbys),
            warming=target.warming,
        )
    return shares
