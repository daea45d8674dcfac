"""Several members, their workers and a coordinator on one virtual clock."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from streams.plan.task_id import TaskId
from streams.runtime.membership.effects import (
    Answered,
    Compute,
    Computed,
    Deliver,
    Disconnect,
    Effect,
    Finish,
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
from streams.runtime.membership.events import Assigned, Failed, Lost, MembershipEvent, Revoked
from streams.runtime.membership.leader import lead
from streams.runtime.membership.member import Member
from streams.runtime.membership.options import MemberOptions
from streams.runtime.membership.universe import TaskUniverse
from streams.wire.address import Address
from streams.wire.errors import ConnectionFailedError
from tests.streams.membership.coordinator import Coordinator


class Simulation:
    """`now` is virtual seconds. Everything that takes time is an entry in one queue."""

    def __init__(self, universe: TaskUniverse, *, seed: int = 0) -> None:
        self.universe = universe
        self.random = random.Random(seed)
        self.coordinator = Coordinator()
        self.workers: list[Worker] = []
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def later(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def spawn(self, *, instance_id: str | None = None, options: dict[str, Any] | None = None) -> Worker:
        worker = Worker(self, instance_id, options or {})
        self.workers.append(worker)
        worker.happen(Start())
        return worker

    def run(self, seconds: float) -> None:
        """Lets time pass; after every single happening no task may have two owners."""
        end = self.now + seconds
        next_expiry = self.now
        while (self._queue and self._queue[0][0] <= end) or next_expiry <= end:
            if self._queue and self._queue[0][0] <= next_expiry:
                self.now, _, action = heapq.heappop(self._queue)
                action()
            else:
                self.now, next_expiry = next_expiry, next_expiry + 0.5
                self.coordinator.expire(self.now)
            self.check()
        self.now = end

    def check(self) -> None:
        owners: dict[TaskId, Worker] = {}
        for worker in self.workers:
            if worker.member.identity.member_id in self.coordinator.members:
                for task in worker.running:
                    assert task not in owners, f"{task} runs twice at {self.now}"
                    owners[task] = worker

    @property
    def live(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    def owned(self) -> list[TaskId]:
        return sorted(task for worker in self.live for task in worker.running)


class Worker:
    """Does what a runtime does, with delays: opens what is assigned, closes what is revoked."""

    def __init__(self, world: Simulation, instance_id: str | None, options: dict[str, Any]) -> None:
        defaults: dict[str, Any] = {
            "group_id": "g",
            "topics": ("in",),
            "session_timeout_ms": 10_000,
            "heartbeat_interval_ms": 1_000,
            "rebalance_timeout_ms": 20_000,
        }
        self.member = Member(
            MemberOptions(**(defaults | {"instance_id": instance_id} | options)), random=world.random.random
        )
        self.world = world
        self.alive = True
        self.active: set[TaskId] = set()
        self.standbys: set[TaskId] = set()
        self.warm: set[TaskId] = set()
        """Standbys that have had the time to catch up."""
        self.cold: set[TaskId] = set()
        """Tasks that were started without having been warm."""
        self.feed_delay = 0.3
        self.closing: set[TaskId] = set()
        self.events: list[MembershipEvent] = []
        self.revocations = 0
        self.release_delay = 0.1
        self.taken = 0
        self._connection = 0
        self._timer = 0

    def happen(self, stimulus: Stimulus) -> None:
        if self.alive:
            for effect in self.member.step(stimulus, self.world.now):
                self.perform(effect)

    def perform(self, effect: Effect) -> None:
        world = self.world
        match effect:
            case Locate():
                self._connection += 1
                world.later(0.01, lambda: self.happen(Located()))
            case Disconnect():
                self._connection += 1
            case Send(request):
                connection = self._connection
                world.later(self.latency(), lambda: self.arrive(request, connection))
            case Compute(generation, candidates):
                assignments = lead(world.universe, candidates, generation, self.member.options.rules)
                world.later(self.latency(), lambda: self.happen(Computed(generation, assignments)))
            case Deliver(event):
                self.take(event)
            case SetTimer(at):
                self._timer += 1
                timer = self._timer
                if at is not None:
                    world.later(max(0.0, at - world.now), lambda: self.fire(timer))
            case Finish():
                self.alive = False
                self.forget()

    @property
    def running(self) -> set[TaskId]:
        """What other members must not start."""
        return self.active | self.closing

    def forget(self) -> None:
        self.active.clear()
        self.standbys.clear()
        self.warm.clear()
        self.closing.clear()

    def latency(self) -> float:
        return 0.001 + self.world.random.random() * 0.01

    def arrive(self, request: Any, connection: int) -> None:
        def reply(answer: Any) -> None:
            self.world.later(self.latency(), lambda: self.answered(answer, connection))

        if connection == self._connection and self.alive:
            self.world.coordinator.handle(request, reply, self.world.now)

    def answered(self, answer: Any, connection: int) -> None:
        if connection == self._connection:
            self.happen(Answered(answer))

    def fire(self, timer: int) -> None:
        if timer == self._timer:
            self.happen(TimerFired())

    def take(self, event: MembershipEvent) -> None:
        self.events.append(event)
        match event:
            case Assigned(tasks, _, standbys, warming):
                assert self.active <= tasks, "an assignment takes away what was not revoked"
                assert not tasks & self.closing, "a task is given back before it was released"
                assert not tasks & standbys
                assert warming <= standbys
                self.taken += len(tasks - self.active)
                self.cold |= tasks - self.active - self.warm
                self.active, self.standbys, self.warm = set(tasks), set(standbys), self.warm & standbys
                self.world.later(self.feed_delay, lambda: self.catch_up(standbys - self.warm, warming))
            case Revoked(tasks, kept):
                assert tasks <= self.active
                self.active -= tasks
                self.standbys |= kept
                self.warm |= kept
                self.closing |= tasks
                self.revocations += 1
                number = self.revocations
                self.world.later(self.release_delay, lambda: self.release(tasks, number))
            case Lost():
                self.forget()
            case Failed():
                pass

    def catch_up(self, tasks: frozenset[TaskId], warming: frozenset[TaskId]) -> None:
        """What was to be fed has been."""
        self.warm |= tasks & self.standbys
        self.happen(Reported(dict.fromkeys(self.warm | self.active, 0)))
        if warming & self.warm:
            self.happen(RebalanceWanted("warm"))

    def release(self, tasks: frozenset[TaskId], number: int) -> None:
        self.closing -= tasks
        self.happen(Released(tasks, number))

    # -- what befalls it ----------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """kill -9: silent at once."""
        self.alive = False
        self._connection += 1
        self.forget()

    def disconnect(self) -> None:
        """The connection breaks; an answer under way is lost."""
        self._connection += 1
        self.happen(Unreachable(ConnectionFailedError(Address("test", 1), "broken")))

    def stop(self, *, leave: bool = True) -> None:
        self.forget()  # a runtime commits and closes before it stops its membership
        self.happen(Stop(leave))
