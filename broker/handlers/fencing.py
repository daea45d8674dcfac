"""Error codes of transactions that depend on what the client's version of an API knows."""

from __future__ import annotations

from kio.schema.errors import ErrorCode


def code_for(code: ErrorCode, *, fenced_known: bool, abortable_known: bool = False) -> ErrorCode:
    """The code as a client understands it: PRODUCER_FENCED came with KIP-588, TRANSACTION_ABORTABLE with KIP-890."""
    if code is ErrorCode.producer_fenced and not fenced_known:
        return ErrorCode.invalid_producer_epoch
    if code is ErrorCode.transaction_abortable and not abortable_known:
        return ErrorCode.invalid_txn_state
    return code
