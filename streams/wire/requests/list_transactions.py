"""ListTransactions (key 66): the transactional ids that one server coordinates. Source: KIP-664, KIP-994."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class ListedTransaction(Struct, frozen=True, kw_only=True):
    transactional_id: str
    producer_id: int
    state: str


class ListedTransactions(Struct, frozen=True, kw_only=True):
    """`unknown_states`: filters the server has no such state for."""

    error: ErrorCode
    transactions: tuple[ListedTransaction, ...]
    unknown_states: tuple[str, ...]


class ListTransactions(Struct, frozen=True, kw_only=True):
    """`longer_than_ms`: only those open for at least that long, which needs version 1; -1: all."""

    states: Sequence[str] = ()
    producer_ids: Sequence[int] = ()
    longer_than_ms: int = -1

    api: ClassVar[Api] = Api("ListTransactions", 66, 0, 2)

    def fields(self) -> Fields:
        return {
            "state_filters": tuple(self.states),
            "producer_id_filters": tuple(self.producer_ids),
            "duration_filter": self.longer_than_ms,
            "transactional_id_pattern": None,
        }

    def answer(self, response: Any) -> ListedTransactions:
        return ListedTransactions(
            error=response.error_code,
            transactions=tuple(
                ListedTransaction(
                    transactional_id=each.transactional_id, producer_id=each.producer_id, state=each.transaction_state
                )
                for each in response.transaction_states
            ),
            unknown_states=tuple(response.unknown_state_filters),
        )
