"""What a produce request with a transactional id needs beyond the append: its transaction must include the partition.

From v12 on writing adds it (KIP-890), before that AddPartitionsToTxn must have. Either way a batch that comes too late
is refused: appended, it would open a transaction that nobody ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from struct import Struct

from kio.schema.errors import ErrorCode

from broker.handlers.fencing import code_for
from broker.journal.entry import ProducerIdentity
from broker.log.errors import AppendRefused
from broker.protocol.batches import HEADER_SIZE, TRANSACTIONAL
from broker.transactions.coordinator import TransactionCoordinator
from broker.transactions.transaction import V2, TopicPartition

ABORTABLE_FROM = 11
IMPLICIT_FROM = 12

attributes_struct = Struct(">h")
producer_struct = Struct(">qh")


class TransactionalWrite:
    """One produce request with a transactional id."""

    __slots__ = ("transactional_id", "transactions", "version")

    def __init__(self, transactions: TransactionCoordinator, transactional_id: str, version: int) -> None:
        self.transactions = transactions
        self.transactional_id = transactional_id
        self.version = version

    def check(self, batch: memoryview, partition: TopicPartition) -> bool:
        """Whether the batch is transactional; raises AppendRefused if it is, and must not be appended."""
        who = writer(batch)
        if who is None:
            return False
        code = self.transactions.check_write(self.transactional_id, who, partition)
        if code is ErrorCode.none:
            return True
        if code is ErrorCode.concurrent_transactions:
            code = ErrorCode.not_enough_replicas  # what producers know to try again after
        code = code_for(code, fenced_known=False, abortable_known=self.version >= ABORTABLE_FROM)
        raise AppendRefused(
            code,
            f"Producer {who.producer_id}, epoch {who.epoch}, has no open transaction of {self.transactional_id!r} that "
            f"includes {partition[0]}-{partition[1]}",
        )

    def missing(
        self, wanted: Mapping[TopicPartition, memoryview | None]
    ) -> Mapping[ProducerIdentity, Set[TopicPartition]]:
        """The partitions of transactional batches by producer, if one of them is to be added to the transaction first.

        Read before anything else is waited for: the batches stand in the connection's buffer.
        """
        partitions: dict[ProducerIdentity, set[TopicPartition]] = {}
        must_enlist = False
        for partition, batch in wanted.items():
            who = None if batch is None else writer(batch)
            if who is not None:
                partitions.setdefault(who, set()).add(partition)
                code = self.transactions.check_write(self.transactional_id, who, partition)
                if code in (ErrorCode.transaction_abortable, ErrorCode.concurrent_transactions):
                    must_enlist = True
        return partitions if must_enlist else {}

    async def enlist(self, partitions: Mapping[ProducerIdentity, Set[TopicPartition]]) -> None:
        """Adds them to the transaction."""
        for who, group in partitions.items():
            await self.transactions.enlist(self.transactional_id, who, group, V2)


def writer(batch: memoryview) -> ProducerIdentity | None:
    """The producer of a transactional batch; None for others, and for what is too short to be a batch."""
    if len(batch) < HEADER_SIZE or not attributes_struct.unpack_from(batch, 21)[0] & TRANSACTIONAL:
        return None
    return ProducerIdentity(*producer_struct.unpack_from(batch, 43))
