"""The transaction coordinator: all transactional ids, their record in the log, and the ends of their transactions.

It is the shell around pure functions (`initialise`, `enlist`, `ending`, `expiry`): it brings the clock and the ids,
journals each step before the step is true and before it is answered, and carries decisions out. Steps of one
transactional id come one after the other, so no client is sent away with CONCURRENT_TRANSACTIONS only because another
request is under way. EndTxn is answered when the markers are written: what was committed can be read then, and the
next transaction can begin.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Set
from typing import Any, TypeVar

from kio.schema.errors import ErrorCode

from broker.journal.entry import Entry, ProducerIdentity
from broker.journal.journal import Journal, JournalLog
from broker.timers import Alarm, TimerHeap
from broker.topics.errors import TopicError
from broker.transactions import ending, expiry, record
from broker.transactions.enlist import enlist
from broker.transactions.initialise import begin, initialise
from broker.transactions.participants import Participants
from broker.transactions.settings import TransactionSettings
from broker.transactions.state import DECIDED
from broker.transactions.transaction import V1, V2, TopicPartition, Transaction

LOG = logging.getLogger("broker.transactions")
T = TypeVar("T")

NOT_STORED = ErrorCode.coordinator_not_available
"""The answer where the storage failed: clients try again."""
EXPIRATION = ""
"""The timer that looks for transactional ids nobody uses; all others are named after their transactional id."""


class TransactionCoordinator:
    """One per broker. `clock` gives ms since the epoch; `new_producer_id` may raise OSError."""

    def __init__(
        self,
        *,
        settings: TransactionSettings,
        log: JournalLog,
        participants: Participants,
        clock: Callable[[], int],
        new_producer_id: Callable[[], int],
    ) -> None:
        self.settings = settings
        self.journal = Journal(log)
        self.participants = participants
        self.clock = clock
        self.new_producer_id = new_producer_id
        self.transactions: dict[str, Transaction] = {}
        """As they stand in the log; only `store` and `forget` change them."""
        self.turns: dict[str, asyncio.Lock] = {}
        """Whose turn it is to change a transactional id."""
        self.timers: TimerHeap[str] = TimerHeap()
        self.alarm = Alarm(self.timers, clock, self.timer_fired)
        self.running: set[asyncio.Task[Any]] = set()

    # -- life --------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Loads the log and finishes what was decided before; what was open goes on, or is aborted in its time."""
        for entry in self.journal.log.replay():
            if isinstance(entry, Entry) and (transactional_id := record.decode_key(entry.key)) is not None:
                if entry.value is None:
                    self.transactions.pop(transactional_id, None)
                else:
                    self.transactions[transactional_id] = record.decode(transactional_id, entry.value)
        for transaction in list(self.transactions.values()):
            if transaction.state in DECIDED:
                await self.finish(transaction)
            else:
                self.watch(transaction)
        await self.participants.abort_unless(self.includes)
        self.timers.schedule(EXPIRATION, self.clock() + self.settings.id_expiration_check_ms)
        self.alarm.arm()

    async def close(self) -> None:
        """Finishes the steps under way and writes what is queued."""
        self.alarm.stop()
        while self.running:
            await asyncio.gather(*self.running, return_exceptions=True)
        await self.journal.close()

    def clock_moved(self) -> None:
        self.alarm.clock_moved()

    # -- requests ----------------------------------------------------------------------------------------------------
    async def initialise(
        self, transactional_id: str, timeout_ms: int, claimed: ProducerIdentity | None = None
    ) -> ProducerIdentity | ErrorCode:
        """Gives a transactional id to a producer; what its predecessor left open is aborted first."""
        if not transactional_id:
            return ErrorCode.invalid_request
        if not 0 < timeout_ms <= self.settings.max_timeout_ms:
            return ErrorCode.invalid_transaction_timeout
        return await self.in_turn(transactional_id, self.take_over(transactional_id, timeout_ms, claimed))

    async def enlist(
        self,
        transactional_id: str,
        who: ProducerIdentity,
        partitions: Set[TopicPartition],
        client_version: int = V1,
    ) -> ErrorCode:
        """Includes partitions in the producer's transaction, which begins if none is open."""
        current = self.transactions.get(transactional_id)
        if current is None:
            return ErrorCode.invalid_producer_id_mapping
        if enlist(current, who, partitions, client_version, 0) is current and not self.busy(transactional_id):
            return ErrorCode.none
        return await self.in_turn(
            transactional_id,
            self.step(transactional_id, lambda current: enlist(current, who, partitions, client_version, self.clock())),
        )

    async def enlist_group(
        self, transactional_id: str, who: ProducerIdentity, group_id: str, client_version: int = V1
    ) -> ErrorCode:
        """Includes the offsets of a group."""
        try:
            at = self.participants.offsets_partition(group_id)
        except TopicError as error:
            LOG.error("cannot add offsets of group %r to a transaction: %s", group_id, error)
            return NOT_STORED
        return await self.enlist(transactional_id, who, frozenset((at,)), client_version)

    async def end(
        self, transactional_id: str, who: ProducerIdentity, *, commit: bool, client_version: int = V1
    ) -> ProducerIdentity | ErrorCode:
        """Commits or aborts; returns who the producer is from now on (a v2 producer has a new epoch)."""
        if transactional_id not in self.transactions:
            return ErrorCode.invalid_producer_id_mapping

        def decide(current: Transaction) -> Transaction | ErrorCode:
            now_ms = self.clock()
            if client_version >= V2:
                return ending.decide_and_bump(current, who, self.new_producer_id, commit=commit, now_ms=now_ms)
            return ending.decide(current, who, commit=commit, now_ms=now_ms)

        async def ended() -> ProducerIdentity | ErrorCode:
            error = await self.step(transactional_id, decide)
            return self.transactions[transactional_id].producer if error is ErrorCode.none else error

        return await self.in_turn(transactional_id, ended())

    def check_write(self, transactional_id: str, who: ProducerIdentity, partition: TopicPartition) -> ErrorCode:
        """Whether a producer may write to a partition in its open transaction, now."""
        current = self.transactions.get(transactional_id)
        return ErrorCode.invalid_producer_id_mapping if current is None else current.check_write(who, partition)

    def includes(self, producer_id: int, partition: TopicPartition) -> bool:
        """Whether a transaction of the producer that is not finished includes the partition."""
        return any(
            transaction.producer_id == producer_id and partition in transaction.partitions
            for transaction in self.transactions.values()
        )

    # -- steps, in turn ----------------------------------------------------------------------------------------------
    async def in_turn(self, transactional_id: str, step: Coroutine[Any, Any, T]) -> T:
        """Runs a step when those before it are done, to its end, even if whoever waits for it is gone."""
        return await asyncio.shield(self.begin_step(transactional_id, step))

    def begin_step(self, transactional_id: str, step: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        async def take_turn() -> T:
            async with self.turns.setdefault(transactional_id, asyncio.Lock()):
                return await step

        task = asyncio.get_running_loop().create_task(take_turn(), name=f"transaction {transactional_id}")
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task

    async def take_over(
        self, transactional_id: str, timeout_ms: int, claimed: ProducerIdentity | None
    ) -> ProducerIdentity | ErrorCode:
        while True:
            current = self.transactions.get(transactional_id)
            try:
                if current is None:
                    following = begin(transactional_id, timeout_ms, self.new_producer_id(), self.clock())
                else:
                    if current.state in DECIDED:
                        await self.finish(current)
                        current = self.transactions[transactional_id]
                    following = initialise(current, timeout_ms, claimed, self.new_producer_id, self.clock())
            except OSError as error:
                LOG.error("cannot reserve producer ids: %s", error)
                return NOT_STORED
            if isinstance(following, ErrorCode):
                return following
            error = await self.store(following)
            if error is not ErrorCode.none or following.state not in DECIDED:
                return following.producer if error is ErrorCode.none else error
            error = await self.finish(following)
            if error is not ErrorCode.none:
                return error

    async def step(self, transactional_id: str, change: Callable[[Transaction], Transaction | ErrorCode]) -> ErrorCode:
        """Makes one step and what follows from it; first completes what the storage kept from being completed."""
        current = self.transactions.get(transactional_id)
        if current is None:
            return ErrorCode.invalid_producer_id_mapping
        if current.state in DECIDED:
            await self.finish(current)
            current = self.transactions[transactional_id]
        try:
            following = change(current)
        except OSError as error:
            LOG.error("cannot reserve producer ids: %s", error)
            return NOT_STORED
        if isinstance(following, ErrorCode):
            return following
        if following is current:
            return ErrorCode.none
        error = await self.store(following)
        if error is ErrorCode.none and following.state in DECIDED:
            return await self.finish(following)
        return error

    async def store(self, transaction: Transaction) -> ErrorCode:
        """Journals a step; it is true when it is durable."""
        key = transaction.transactional_id
        if not await self.journal.write_and_wait(key, [(record.encode_key(key), record.encode(transaction))]):
            return NOT_STORED
        self.transactions[key] = transaction
        self.watch(transaction)
        return ErrorCode.none

    async def finish(self, transaction: Transaction) -> ErrorCode:
        """Carries out a decision that is in the log.

        The record of the completion need not be durable: without it the markers are written again after a restart.
        """
        key = transaction.transactional_id
        if not await self.participants.end(transaction.producer, transaction.partitions, commit=transaction.commits):
            self.timers.schedule(key, self.clock() + self.settings.retry_ms)
            self.alarm.arm()
            return ErrorCode.concurrent_transactions
        completed = self.transactions[key] = ending.complete(transaction, self.clock())
        self.journal.write(key, [(record.encode_key(key), record.encode(completed))])
        self.watch(completed)
        return ErrorCode.none

    # -- time --------------------------------------------------------------------------------------------------------
    def watch(self, transaction: Transaction) -> None:
        """Sets or removes the timer of a transaction."""
        deadline_ms = expiry.deadline_ms(transaction)
        if deadline_ms is None:
            self.timers.cancel(transaction.transactional_id)
        else:
            self.timers.schedule(transaction.transactional_id, deadline_ms)
        self.alarm.arm()

    def timer_fired(self, key: str) -> None:
        if key == EXPIRATION:
            self.expire()
            return
        self.begin_step(key, self.step(key, self.time_out))

    def time_out(self, current: Transaction) -> Transaction:
        """Aborts a transaction that is open for too long."""
        now_ms = self.clock()
        if not expiry.timed_out(current, now_ms):
            return current
        LOG.warning(
            "transaction of %r (producer %d) is aborted: it was open for more than %d ms",
            current.transactional_id,
            current.producer_id,
            current.timeout_ms,
        )
        return ending.fence(current, now_ms)

    def expire(self) -> None:
        """Forgets the transactional ids nobody uses."""
        now_ms = self.clock()
        for key, transaction in list(self.transactions.items()):
            if expiry.expired(transaction, self.settings.id_expiration_ms, now_ms) and not self.busy(key):
                del self.transactions[key]
                self.turns.pop(key, None)
                self.journal.write(key, [(record.encode_key(key), None)])
        self.timers.schedule(EXPIRATION, now_ms + self.settings.id_expiration_check_ms)

    def busy(self, transactional_id: str) -> bool:
        turn = self.turns.get(transactional_id)
        return turn is not None and turn.locked()
