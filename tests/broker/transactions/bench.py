"""A transaction coordinator without a broker: its log, its partitions and its clock in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from typing import TypeVar

from broker.journal.entry import ProducerIdentity
from broker.transactions.coordinator import TransactionCoordinator
from broker.transactions.settings import TransactionSettings
from broker.transactions.transaction import TopicPartition
from tests.broker.journal.memory_log import MemoryJournalLog

T = TypeVar("T")


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


class MemoryPartitions:
    """`Participants` in memory: `ends` is every marker written, in order."""

    def __init__(self) -> None:
        self.ends: list[tuple[TopicPartition, ProducerIdentity, bool]] = []
        self.broken: set[TopicPartition] = set()
        """Where markers cannot be written."""
        self.abandoned: list[tuple[int, TopicPartition]] = []
        """Open in a partition; the coordinator may or may not know of it."""

    def offsets_partition(self, group_id: str) -> TopicPartition:
        return "__consumer_offsets", 0

    async def end(self, producer: ProducerIdentity, partitions: Iterable[TopicPartition], *, commit: bool) -> bool:
        wanted = sorted(partitions)
        self.ends += [(at, producer, commit) for at in wanted if at not in self.broken]
        await asyncio.sleep(0)
        return self.broken.isdisjoint(wanted)

    async def abort_unless(self, known: Callable[[int, TopicPartition], bool]) -> None:
        self.ends += [(at, ProducerIdentity(pid, -1), False) for pid, at in self.abandoned if not known(pid, at)]


class Bench:
    """`restart` is a crash: what is not in the log is gone."""

    def __init__(self, **settings: int) -> None:
        self.settings = TransactionSettings(**settings)
        self.clock = Clock()
        self.log = MemoryJournalLog()
        self.partitions = MemoryPartitions()
        self.ids = count(100)
        self.coordinator = self.make()

    def make(self) -> TransactionCoordinator:
        return TransactionCoordinator(
            settings=self.settings,
            log=self.log,
            participants=self.partitions,
            clock=self.clock,
            new_producer_id=lambda: next(self.ids),
        )

    async def restart(self) -> None:
        self.coordinator.alarm.stop()
        self.coordinator = self.make()
        await self.coordinator.start()

    async def advance(self, ms: int) -> None:
        """Moves the clock, and waits for what that sets off."""
        self.clock.now_ms += ms
        self.coordinator.alarm.ring()
        while self.coordinator.running:
            await asyncio.gather(*self.coordinator.running)
        await self.coordinator.journal.close()

    async def begin(self, transactional_id: str = "tx", *partitions: TopicPartition) -> ProducerIdentity:
        """A producer with an open transaction."""
        who = await self.coordinator.initialise(transactional_id, 60_000)
        assert isinstance(who, ProducerIdentity)
        await self.coordinator.enlist(transactional_id, who, frozenset(partitions or (("t", 0),)))
        return who


def run(work: Callable[[Bench], Awaitable[T]], **settings: int) -> T:
    """Runs a test's coroutine on a bench of its own."""

    async def prepared() -> T:
        bench = Bench(**settings)
        await bench.coordinator.start()
        try:
            return await work(bench)
        finally:
            await bench.coordinator.close()

    return asyncio.run(prepared())
