"""What of an assignment may happen at once: moving a task takes two rounds, so that it never has two owners.

    round 1   the old owner claims the task: it is withdrawn from it and given to nobody.
              The old owner stops, commits and closes it, and joins again without the claim.
    round 2   nobody claims it: the new owner gets it.

All other tasks run on through both. Source: KIP-429 (incremental cooperative rebalancing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.plan.task_id import TaskId
from streams.runtime.membership.assignor import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`tasks` the member may run now, `withdrawn` those it claims and must give up."""

    tasks: frozenset[TaskId]
    withdrawn: frozenset[TaskId]


def handover(targets: Mapping[str, frozenset[TaskId]], candidates: Sequence[Candidate]) -> dict[str, Share]:
    """Member id -> its share of this round. `targets` is what `assign` returned for the same candidates."""
    claimants: dict[TaskId, set[str]] = {}
    for candidate in candidates:
        for task in candidate.subscription.claimed:
            claimants.setdefault(task, set()).add(candidate.member_id)
    wanted = frozenset(task for tasks in targets.values() for task in tasks)
    nobody: set[str] = set()
    shares: dict[str, Share] = {}
    for candidate in candidates:
        target, own = targets[candidate.member_id], {candidate.member_id}
        shares[candidate.member_id] = Share(
            tasks=frozenset(
                task for task in target if task in candidate.subscription.held or claimants.get(task, nobody) <= own
            ),
            withdrawn=(candidate.subscription.claimed - target) & wanted,
        )
    return shares
