"""A transactional id at a moment: who may write under it, and what its current transaction includes.

Source: `TransactionMetadata` of Apache Kafka; KIP-98, KIP-360 (the epoch before), KIP-890 (transactions v2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions.state import DECIDED, TransactionState

TopicPartition: TypeAlias = tuple[str, int]

NO_PRODUCER = -1
NO_EPOCH = -1
LAST_EPOCH = 32_766
"""A producer at this epoch gets a new id instead of the next epoch; 32,767 is used to fence it, and never told."""
V1, V2 = 1, 2
"""Client versions: v2 bumps the epoch at every end and enlists partitions by writing to them (KIP-890)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Times in ms since the epoch."""

    transactional_id: str
    producer_id: int
    epoch: int
    last_epoch: int = NO_EPOCH
    """The epoch before, if its owner asked for the bump: it may ask again when the answer was lost."""
    previous_producer_id: int = NO_PRODUCER
    """The id before the epochs ran out."""
    next_producer_id: int = NO_PRODUCER
    """While a v2 transaction at the last epoch ends: the id that its producer goes on with."""
    timeout_ms: int
    """How long a transaction may be open."""
    state: TransactionState = TransactionState.EMPTY
    partitions: frozenset[TopicPartition] = frozenset()
    """What the transaction writes to; where a group's offsets go counts as a partition of `__consumer_offsets`."""
    started_ms: int = -1
    """When the transaction began; -1: none ever did."""
    updated_ms: int
    client_version: int = V1

    @property
    def producer(self) -> ProducerIdentity:
        return ProducerIdentity(self.producer_id, self.epoch)

    @property
    def commits(self) -> bool:
        """Of a decided transaction: which way."""
        return self.state is TransactionState.PREPARE_COMMIT

    def check_owner(self, who: ProducerIdentity) -> ErrorCode:
        """None, INVALID_PRODUCER_ID_MAPPING, or PRODUCER_FENCED for any epoch but the present one."""
        if who.producer_id != self.producer_id:
            return ErrorCode.invalid_producer_id_mapping
        return ErrorCode.none if who.epoch == self.epoch else ErrorCode.producer_fenced

    def check_write(self, who: ProducerIdentity, partition: TopicPartition) -> ErrorCode:
        """Whether a producer may write to a partition now.

        This is what prevents hanging transactions: without it a batch that is late would open one nobody ends.
        """
        error = self.check_owner(who)
        if error is not ErrorCode.none:
            return error
        if self.state in DECIDED:
            return ErrorCode.concurrent_transactions
        if self.state is TransactionState.ONGOING and partition in self.partitions:
            return ErrorCode.none
        return ErrorCode.transaction_abortable
