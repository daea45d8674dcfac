"""`python -m bench.assignor`: what assigning tasks costs a large group, and how it settles when members come and go.

Members are simulated, with nothing between them: what the leader computes and encodes is real, and so is what members
say of themselves; that replicas are fed is not (those that may catch up have, by the next rebalance).
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from streams.plan.task_id import TaskId
from streams.runtime.membership.assignor import assign
from streams.runtime.membership.handover import Share, handover
from streams.runtime.membership.leader import lead
from streams.runtime.membership.place import Candidate
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Subscription, encode_subscription

BACKLOG = 1_000_000
"""Records in the changelogs of a stateful task: nobody takes one over without a copy."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one change of the group, until nothing moved any more."""

    rounds: int
    moves: int
    """Tasks taken from living owners."""
    idle: int
    """The most tasks that nobody had in any round, because they were on their way."""
    cold: int
    """Tasks that started where their state was not."""
    slowest_s: float
    """The longest that one assignment took to compute."""


class Group:
    """A simulated group: each member's last word, and the rules of its leader."""

    def __init__(self, universe: TaskUniverse, rules: AssignmentRules, hosts: int) -> None:
        self.universe = universe
        self.rules = rules
        self.members: list[Candidate] = []
        self._hosts = hosts
        self._born = 0

    def join(self, count: int) -> None:
        for _ in range(count):
            number, self._born = self._born, self._born + 1
            name = f"app-host-{number % self._hosts}-{number:08}"
            told = Subscription(
                process_id=str(number),
                host=f"host-{number % self._hosts}",
                state_dir=f"/var/lib/headrace/{number}",
                endpoint=f"host-{number % self._hosts}.example.net:{8000 + number}",
                lags={},
            )
            self.members.append(Candidate(member_id=f"{name}-{'0' * 36}", instance_id=name, subscription=told))

    def leave(self, members: Sequence[Candidate]) -> None:
        gone = {member.member_id for member in members}
        self.members = [member for member in self.members if member.member_id not in gone]

    def settle(self) -> Settled:
        """Rebalances until nothing moves."""
        moves = idle = cold = rounds = 0
        slowest = 0.0
        while True:
            began = time.perf_counter()
            targets = assign(self.universe, self.members, self.rules)
            shares = handover(targets, self.members)
            slowest = max(slowest, time.perf_counter() - began)
            moves += sum(len(share.withdrawn) for share in shares.values())
            idle = max(idle, len(self.universe.inputs) - sum(len(share.tasks) for share in shares.values()))
            for member in self.members:
                told = member.subscription
                started = (shares[member.member_id].tasks - told.held) & self.universe.stateful
                cold += sum(task not in told.lags for task in started)
            after = [self._next(member, shares[member.member_id]) for member in self.members]
            if after == self.members:
                return Settled(rounds, moves, idle, cold, slowest)
            self.members, rounds = after, rounds + 1

    def _next(self, member: Candidate, share: Share) -> Candidate:
        told = member.subscription
        here = share.standbys | (share.tasks & self.universe.stateful)
        lags = {**told.lags, **dict.fromkeys(here, 0)}
        if len(lags) > 2 * len(here) + 20:  # state of tasks that have been elsewhere for long is deleted
            lags = dict.fromkeys(here, 0)
        told = replace(told, held=share.tasks, standbys=share.standbys, lags=lags, generation=1)
        return replace(member, subscription=told)

    def metadata(self) -> tuple[float, int, int]:
        """Seconds to encode everybody's assignment, bytes of all of them, bytes of all subscriptions."""
        began = time.perf_counter()
        assignments = lead(self.universe, self.members, 1, self.rules)
        seconds = time.perf_counter() - began
        subscriptions = sum(len(encode_subscription(member.subscription, ["in"])) for member in self.members)
        return seconds, sum(map(len, assignments.values())), subscriptions


def simulate(tasks: int, workers: int, *, standbys: int, churn: int, seed: int) -> None:
    """Ten sub-topologies, seven of them stateful; workers ten to a host. So many are warmed up at a time that a change
    settles in a few rebalances; the default, 2, is meant for small groups."""
    ids = [TaskId(number % 10, number // 10) for number in range(tasks)]
    stateful = frozenset(task for task in ids if task.subtopology < 7)
    universe = TaskUniverse(
        inputs={task: ((f"topic-{task.subtopology}", task.partition),) for task in ids},
        stateful=stateful,
        backlog=dict.fromkeys(stateful, BACKLOG),
    )
    draw = random.Random(seed)
    # So many warm-ups at a time that a change settles in a few rebalances; the default, 2, is for two-worker groups.
    group = Group(
        universe, AssignmentRules(standby_replicas=standbys, warmup_replicas=max(2, tasks // 100)), 1 + workers // 10
    )
    group.join(workers)
    print(f"{tasks:,} tasks x {workers:,} workers, {standbys} standby(s)")
    tell("first assignment", group.settle())
    tell("one worker joins", (group.join(1), group.settle())[1])
    tell("one worker leaves", (group.leave(draw.sample(group.members, 1)), group.settle())[1])
    tenth = max(1, workers // 10)
    tell(f"{tenth} workers leave", (group.leave(draw.sample(group.members, tenth)), group.settle())[1])
    tell(f"{tenth} workers join", (group.join(tenth), group.settle())[1])
    total = []
    for _ in range(churn):
        group.leave(draw.sample(group.members, draw.randint(0, 2)))
        group.join(draw.randint(0, 2))
        total.append(group.settle())
    if total:
        tell(
            f"{churn} random changes, each",
            Settled(
                max(each.rounds for each in total),
                round(sum(each.moves for each in total) / churn),
                max(each.idle for each in total),
                sum(each.cold for each in total),
                max(each.slowest_s for each in total),
            ),
        )
    seconds, assignments, subscriptions = group.metadata()
    print(
        f"  group metadata: {subscriptions / 2**20:.2f} MiB of subscriptions in, {assignments / 2**20:.2f} MiB of "
        f"assignments out; computed and encoded in {seconds:.1f} s"
    )


def tell(what: str, settled: Settled) -> None:
    print(
        f"  {what:28} {settled.rounds:3} rebalances, {settled.moves:6,} moves, at most {settled.idle:6,} idle, "
        f"{settled.cold:6,} cold starts, {settled.slowest_s:6.2f} s each",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assignor", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--standbys", type=int, default=1)
    parser.add_argument("--churn", type=int, default=5, help="random changes at the end")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    simulate(options.tasks, options.workers, standbys=options.standbys, churn=options.churn, seed=options.seed)


if __name__ == "__main__":
    main()
