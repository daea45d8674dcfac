"""What holds of a transactional id whatever its producers do, whatever fails, and whenever the broker is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions.state import TransactionState
from broker.transactions.transaction import V1, V2, TopicPartition
from tests.broker.transactions.bench import Bench

T = TypeVar("T")
PARTITIONS = [("t", 0), ("t", 1), ("u", 0)]
NEVER_ABOVE = 32_766


class TransactionLife(RuleBasedStateMachine):
    """Producers start, write, end, ask again and come back from the dead; storage fails; the broker is killed."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bench = Bench()
        self.run(self.bench.coordinator.start())
        self.identities: list[ProducerIdentity] = []
        """Everybody who ever was the producer, the present one last."""
        self.open: set[TopicPartition] = set()
        """What the present producer was told is in its transaction."""

    def run(self, work: Awaitable[T]) -> T:
        async def whole() -> T:
            result = await work
            await self.bench.coordinator.journal.close()
            return result

        return self.loop.run_until_complete(whole())

    def teardown(self) -> None:
        self.bench.log.fault = None
        self.run(self.bench.coordinator.close())
        self.loop.close()

    def pick(self, data: st.DataObject) -> ProducerIdentity:
        """Mostly the present producer, sometimes a zombie."""
        back = data.draw(st.sampled_from([0, 0, 0, 1, 2]))
        return self.identities[max(len(self.identities) - 1 - back, 0)]

    @rule()
    def start_producer(self) -> None:
        taken = self.run(self.bench.coordinator.initialise("tx", 60_000))
        if isinstance(taken, ProducerIdentity):
            assert taken not in self.identities, "an identity is given to one producer only"
            self.identities.append(taken)
            self.open.clear()

    @rule(data=st.data())
    def bump(self, data: st.DataObject) -> None:
        if not self.identities:
            return
        who = self.pick(data)
        taken = self.run(self.bench.coordinator.initialise("tx", 60_000, who))
        if isinstance(taken, ProducerIdentity) and taken != self.identities[-1]:
            assert who == self.identities[-1], "only the owner goes on"
            self.identities.append(taken)
            self.open.clear()

    @rule(data=st.data(), partitions=st.frozensets(st.sampled_from(PARTITIONS), min_size=1))
    def enlist(self, data: st.DataObject, partitions: frozenset[TopicPartition]) -> None:
        if not self.identities:
            return
        who = self.pick(data)
        if self.run(self.bench.coordinator.enlist("tx", who, partitions, V1)) is ErrorCode.none:
            assert who == self.identities[-1], "zombies are fenced"
            self.open |= partitions

    @rule(data=st.data(), commit=st.booleans(), version=st.sampled_from([V1, V2]))
    def end(self, data: st.DataObject, commit: bool, version: int) -> None:
        if not self.identities:
            return
        who = self.pick(data)
        before = len(self.bench.partitions.ends)
        outcome = self.run(self.bench.coordinator.end("tx", who, commit=commit, client_version=version))
        if not isinstance(outcome, ProducerIdentity):
            return
        if who != self.identities[-1]:
            assert len(self.bench.partitions.ends) == before, "a retry of one before, which ends nothing now"
            return
        ends = {at: committed for at, _, committed in self.bench.partitions.ends[before:]}
        assert self.open <= ends.keys() or not ends, "in all of them or, on a retry, in none"
        assert set(ends.values()) <= {commit}
        self.open.clear()
        if outcome != who:
            assert outcome not in self.identities
            self.identities.append(outcome)

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        if not self.identities:
            return
        who, at = self.pick(data), data.draw(st.sampled_from(PARTITIONS))
        if self.bench.coordinator.check_write("tx", who, at) is ErrorCode.none:
            assert who == self.identities[-1]
            assert at in self.open, "what may be written to will be ended"

    @rule(ms=st.sampled_from([1, 1_000, 59_000, 60_000]))
    def pass_time(self, ms: int) -> None:
        self.run(self.bench.advance(ms))
        current = self.bench.coordinator.transactions.get("tx")
        if current is not None and current.state is not TransactionState.ONGOING:
            self.open.clear()

    @rule(full=st.booleans(), broken=st.frozensets(st.sampled_from(PARTITIONS)))
    def fail_storage(self, full: bool, broken: frozenset[TopicPartition]) -> None:
        self.bench.log.fault = OSError(28, "No space left on device") if full else None
        self.bench.partitions.broken = set(broken)

    @rule()
    def repair_storage(self) -> None:
        self.bench.log.fault = None
        self.bench.partitions.broken = set()

    @rule()
    def kill_the_broker(self) -> None:
        self.bench.log.fault = None
        self.bench.partitions.broken = set()
        self.run(self.bench.restart())
        current = self.bench.coordinator.transactions.get("tx")
        assert current is None or current.state not in (TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)
        if current is None or current.state is not TransactionState.ONGOING:
            self.open.clear()

    @invariant()
    def nobody_is_told_the_fencing_epoch(self) -> None:
        assert all(one.epoch <= NEVER_ABOVE for one in self.identities)

    @invariant()
    def partitions_of_the_open_transaction_are_known(self) -> None:
        current = self.bench.coordinator.transactions.get("tx")
        if self.open and current is not None and current.state is TransactionState.ONGOING:
            assert self.open <= current.partitions


TestTransactionLife = TransactionLife.TestCase
TestTransactionLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
