"""The states of a transactional id, numbered as in the records of `__transaction_state`.

```
Empty ──► Ongoing ──► PrepareCommit ──► CompleteCommit ──► Ongoing or Empty again
                 └──► PrepareAbort  ──► CompleteAbort  ──► …
```
A transaction is decided when its Prepare record is in the log: from there on it is finished, whatever happens.
Source: `TransactionState` of Apache Kafka.
"""

from __future__ import annotations

from enum import Enum


class TransactionState(Enum):
    """`number` in records; `title` in ListTransactions and DescribeTransactions."""

    EMPTY = (0, "Empty")
    ONGOING = (1, "Ongoing")
    PREPARE_COMMIT = (2, "PrepareCommit")
    PREPARE_ABORT = (3, "PrepareAbort")
    COMPLETE_COMMIT = (4, "CompleteCommit")
    COMPLETE_ABORT = (5, "CompleteAbort")
    DEAD = (6, "Dead")
    """Expired: its record is deleted."""

    def __init__(self, number: int, title: str) -> None:
        self.number = number
        self.title = title

    @classmethod
    def of(cls, number: int) -> TransactionState:
        """Raises ValueError for a number nobody has."""
        for state in cls:
            if state.number == number:
                return state
        raise ValueError(f"transaction state {number} is unknown")


DECIDED = frozenset((TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT))
"""Markers are being written, or will be after a restart."""
AT_REST = frozenset((TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT))
"""No transaction is open."""
