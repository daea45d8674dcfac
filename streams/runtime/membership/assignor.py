"""Which member gets which task: a pure function of who is there, what they hold and what there is to do.

1. `balance` says where each task should end up: every task has one place, each sub-topology is spread evenly, as few
   tasks as possible leave a living owner, and tasks without one go where their state is.
2. A stateful task whose new place would have to restore much stays where it runs, or goes where its state is, as long
   as that is somewhere: a warm-up replica is fed at the new place meanwhile. When it has caught up, that member asks
   for a rebalance, and the task moves. So many are fed at a time (`warmup_replicas`); the others wait for their turn.
3. `standby_placement` spreads standby replicas.

The result is a target: `handover` says what of it may happen at once.
Source: Kafka Streams' HighAvailabilityTaskAssignor (KIP-441).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from streams.plan.task_id import TaskId
from streams.runtime.membership.balance import balanced, owners_of
from streams.runtime.membership.place import Candidate, Copies, Place, places_of
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.standby_placement import place_standbys
from streams.runtime.membership.universe import TaskUniverse


class Target(Struct, frozen=True):
    """What a member should have: tasks to run, tasks whose state it keeps up to date, and those of the latter that are
    to move there when they have caught up."""

    active: frozenset[TaskId] = frozenset()
    standby: frozenset[TaskId] = frozenset()
    warming: frozenset[TaskId] = frozenset()


def assign(universe: TaskUniverse, candidates: Sequence[Candidate], rules: AssignmentRules) -> dict[str, Target]:
    """Member id -> what it should have.

    Raises:
        ValueError: there are no candidates.
    """
    if not candidates:
        raise ValueError("tasks cannot be assigned to a group without members")
    places = places_of(candidates)
    copies = Copies(universe, places, rules.acceptable_lag)
    ideal = balanced(universe, places, copies)
    active, warming = warm_up(ideal, owners_of(places), copies, at_a_time=rules.warmup_replicas)
    standbys = place_standbys(
        universe.stateful & universe.inputs.keys(),
        places,
        copies,
        active=active,
        warming=warming,
        count=rules.standby_replicas,
        tags=rules.spread_tags,
    )
    kinds: tuple[list[set[TaskId]], ...] = tuple([set() for _ in places] for _ in range(3))
    for task, place in active.items():
        kinds[0][place.number].add(task)
    for task, chosen in standbys.items():
        for place in chosen:
            kinds[1][place.number].add(task)
    for task, place in warming.items():
        kinds[1][place.number].add(task)
        kinds[2][place.number].add(task)
    return {place.candidate.member_id: Target(*(frozenset(kind[place.number]) for kind in kinds)) for place in places}


def warm_up(
    ideal: Mapping[TaskId, Place], owners: Mapping[TaskId, Place], copies: Copies, *, at_a_time: int
) -> tuple[dict[TaskId, Place], dict[TaskId, Place]]:
    """Where each task is active for now, and where warm-up replicas are fed."""
    active: dict[TaskId, Place] = {}
    waiting: list[tuple[float, TaskId]] = []
    for task, place in ideal.items():
        now = place
        if not copies.caught_up(task, place.disk):
            owner = owners.get(task)
            now = owner if owner is not None else best_of(task, copies) or place
            if now.disk != place.disk:
                begun = place.disk in copies.of(task)
                waiting.append((copies.lag(task, place.disk) if begun else float("inf"), task))
        active[task] = now
    return active, {task: ideal[task] for _, task in sorted(waiting)[:at_a_time]}


def best_of(task: TaskId, copies: Copies) -> Place | None:
    """Who can start a task at once: with a copy that is caught up, and rather one that is open there already."""

    def merit(place: Place) -> tuple[bool, float, int]:
        return task not in place.candidate.subscription.standbys, copies.lag(task, place.disk), place.number

    found = (place for disk in copies.of(task) if copies.caught_up(task, disk) for place in copies.on(disk))
    return min(found, key=merit, default=None)
