"""The end of a transaction: the producer's EndTxn, or the coordinator's fence, and its completion.

Source: `TransactionCoordinator.endTransaction`, `TransactionMetadata.prepareComplete` of Apache Kafka; KIP-890.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions.state import TransactionState
from broker.transactions.transaction import LAST_EPOCH, NO_EPOCH, NO_PRODUCER, V2, Transaction


def decide(current: Transaction, who: ProducerIdentity, *, commit: bool, now_ms: int) -> Transaction | ErrorCode:
    """EndTxn of a v1 client: the decided transaction; unchanged where the same end is there already (a retry)."""
    error = current.check_owner(who)
    if error is not ErrorCode.none:
        return error
    match current.state:
        case TransactionState.ONGOING:
            return decided(current, commit=commit, now_ms=now_ms)
        case TransactionState.COMPLETE_COMMIT if commit:
            return current
        case TransactionState.COMPLETE_ABORT if not commit:
            return current
        case TransactionState.PREPARE_COMMIT | TransactionState.PREPARE_ABORT if commit == current.commits:
            return ErrorCode.concurrent_transactions
        case _:
            return ErrorCode.invalid_txn_state


def decide_and_bump(
    current: Transaction, who: ProducerIdentity, new_id: Callable[[], int], *, commit: bool, now_ms: int
) -> Transaction | ErrorCode:
    """EndTxn of a v2 client: as `decide`, with the epoch raised, so that nothing late falls into the next transaction.

    A retry comes with the epoch before. An abort is good without a transaction, too: its producer wants to be sure.
    """
    retry = is_retry(current, who)
    if not retry:
        error = current.check_owner(who)
        if error is not ErrorCode.none:
            return error
    match current.state:
        case TransactionState.ONGOING | TransactionState.EMPTY if retry:
            return ErrorCode.producer_fenced  # the bump was not this producer's
        case TransactionState.PREPARE_COMMIT | TransactionState.PREPARE_ABORT:
            return ErrorCode.concurrent_transactions if commit == current.commits else ErrorCode.invalid_txn_state
        case TransactionState.COMPLETE_COMMIT | TransactionState.COMPLETE_ABORT if retry:
            same = commit == (current.state is TransactionState.COMPLETE_COMMIT)
            return current if same else ErrorCode.invalid_txn_state
        case TransactionState.ONGOING:
            pass
        case _ if commit:
            return ErrorCode.invalid_txn_state
        case _:
            current = replace(current, started_ms=now_ms)
    return replace(
        decided(current, commit=commit, now_ms=now_ms),
        epoch=current.epoch + 1,
        last_epoch=current.epoch,
        next_producer_id=new_id() if current.epoch >= LAST_EPOCH else NO_PRODUCER,
        client_version=V2,
    )


def is_retry(current: Transaction, who: ProducerIdentity) -> bool:
    """Whether this is the v2 producer of the transaction before, which did not learn of its end."""
    if current.client_version < V2:
        return False
    if who.producer_id == current.producer_id:
        return who.epoch + 1 == current.epoch
    return who == ProducerIdentity(current.previous_producer_id, LAST_EPOCH) and current.epoch == 0


def decided(current: Transaction, *, commit: bool, now_ms: int) -> Transaction:
    state = TransactionState.PREPARE_COMMIT if commit else TransactionState.PREPARE_ABORT
    return replace(current, state=state, updated_ms=now_ms)


def fence(current: Transaction, now_ms: int) -> Transaction:
    """Aborts an open transaction against its owner's will: the raised epoch keeps it from writing on."""
    return replace(decided(current, commit=False, now_ms=now_ms), epoch=current.epoch + 1, last_epoch=NO_EPOCH)


def complete(current: Transaction, now_ms: int) -> Transaction:
    """All markers of a decided transaction are written."""
    state = TransactionState.COMPLETE_COMMIT if current.commits else TransactionState.COMPLETE_ABORT
    completed = replace(current, state=state, partitions=frozenset(), updated_ms=now_ms)
    if current.next_producer_id == NO_PRODUCER:
        return completed
    return replace(
        completed,
        producer_id=current.next_producer_id,
        previous_producer_id=current.producer_id,
        next_producer_id=NO_PRODUCER,
        epoch=0,
        last_epoch=LAST_EPOCH,
    )
