"""InitProducerId: a producer takes over a transactional id, or has its own epoch raised.

Source: `TransactionCoordinator.handleInitProducerId`, `TransactionMetadata.prepareIncrementProducerEpoch` of Apache
Kafka; KIP-360.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions.ending import fence
from broker.transactions.state import DECIDED, TransactionState
from broker.transactions.transaction import LAST_EPOCH, NO_EPOCH, Transaction


def begin(transactional_id: str, timeout_ms: int, producer_id: int, now_ms: int) -> Transaction:
    """A transactional id nobody has used, or that has expired."""
    return Transaction(
        transactional_id=transactional_id, producer_id=producer_id, epoch=0, timeout_ms=timeout_ms, updated_ms=now_ms
    )


def initialise(
    current: Transaction, timeout_ms: int, claimed: ProducerIdentity | None, new_id: Callable[[], int], now_ms: int
) -> Transaction | ErrorCode:
    """The next step, or why not. `claimed`: who the producer was so far; None for one that starts.

    While a transaction is open the step is its abort, with a higher epoch that fences its owner; then this is asked
    again. A producer that starts gets an epoch nobody had; one that was here before must be the present owner, or the
    one before it who asks again because the answer was lost.
    """
    if claimed is not None and not known(current, claimed):
        return ErrorCode.producer_fenced
    if current.state in DECIDED:
        return ErrorCode.concurrent_transactions
    if current.state is TransactionState.ONGOING:
        if claimed is None:
            return fence(current, now_ms)
        if claimed == current.producer:
            return replace(fence(current, now_ms), last_epoch=current.epoch)
        return ErrorCode.producer_fenced
    fresh = replace(
        current,
        state=TransactionState.EMPTY,
        timeout_ms=timeout_ms,
        partitions=frozenset(),
        started_ms=-1,
        updated_ms=now_ms,
    )
    exhausted = current.epoch >= LAST_EPOCH
    if claimed is None:
        if exhausted:
            return rotated(fresh, new_id(), last_epoch=NO_EPOCH)
        return replace(fresh, epoch=current.epoch + 1, last_epoch=NO_EPOCH)
    if claimed == current.producer:
        if exhausted:
            return rotated(fresh, new_id(), last_epoch=current.epoch)
        return replace(fresh, epoch=current.epoch + 1, last_epoch=current.epoch)
    if claimed.epoch == current.last_epoch:
        # The bump was made already: for an answer that was lost, or to abort what was open.
        return rotated(fresh, new_id(), last_epoch=claimed.epoch) if current.epoch > LAST_EPOCH else fresh
    return ErrorCode.producer_fenced


def known(current: Transaction, claimed: ProducerIdentity) -> bool:
    """Whether the id is the present one, or the one before that ran out of epochs."""
    return claimed.producer_id == current.producer_id or (
        claimed.producer_id == current.previous_producer_id and claimed.epoch >= LAST_EPOCH
    )


def rotated(transaction: Transaction, producer_id: int, *, last_epoch: int) -> Transaction:
    """The epochs have run out: a new id."""
    return replace(
        transaction,
        producer_id=producer_id,
        previous_producer_id=transaction.producer_id,
        epoch=0,
        last_epoch=last_epoch,
    )
