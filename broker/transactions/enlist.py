"""AddPartitionsToTxn, AddOffsetsToTxn, and the first write to a partition in v2: the transaction includes it.

Source: `TransactionCoordinator.handleAddPartitionsToTransaction` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions.state import DECIDED, TransactionState
from broker.transactions.transaction import TopicPartition, Transaction


def enlist(
    current: Transaction, who: ProducerIdentity, partitions: Set[TopicPartition], client_version: int, now_ms: int
) -> Transaction | ErrorCode:
    """With the partitions in it; begins a transaction if none is open. Unchanged if they are in it already."""
    error = current.check_owner(who)
    if error is not ErrorCode.none:
        return error
    if current.state in DECIDED:
        return ErrorCode.concurrent_transactions
    ongoing = current.state is TransactionState.ONGOING
    if ongoing and partitions <= current.partitions:
        return current
    return replace(
        current,
        state=TransactionState.ONGOING,
        partitions=current.partitions | partitions,
        started_ms=current.started_ms if ongoing else now_ms,
        updated_ms=now_ms,
        client_version=client_version,
    )
