"""What time does: a transaction that is open for too long is aborted, a transactional id nobody uses is forgotten.

Source: `TransactionCoordinator.abortTimedOutTransactions`, `TransactionStateManager.removeExpiredTransactionalIds`.
"""

from __future__ import annotations

from broker.transactions.state import AT_REST, TransactionState
from broker.transactions.transaction import Transaction


def deadline_ms(transaction: Transaction) -> int | None:
    """When an open transaction is aborted; None while none is open."""
    if transaction.state is not TransactionState.ONGOING:
        return None
    return transaction.started_ms + transaction.timeout_ms


def timed_out(transaction: Transaction, now_ms: int) -> bool:
    deadline = deadline_ms(transaction)
    return deadline is not None and now_ms >= deadline


def expired(transaction: Transaction, expiration_ms: int, now_ms: int) -> bool:
    """Whether the transactional id was idle for too long."""
    return transaction.state in AT_REST and now_ms - transaction.updated_ms >= expiration_ms
