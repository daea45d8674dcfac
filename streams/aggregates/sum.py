"""`sum_`: the total of a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded
from streams.aggregates.demand import NUMBER, Demand
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sum(Aggregate):
    """state: total (int while all inputs were ints, which makes it exact)"""

    name: ClassVar[str] = "sum_"
    demand: ClassVar[Demand | None] = NUMBER

    def initial_source(self) -> list[str]:
        return ["0"]

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        return guarded(states, value, lambda v: [f"{states[0]} += {v}"])

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        return guarded(states, value, lambda v: [f"{states[0]} -= {v}"])

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return [f"{states[0]} += {later[0]}"]

    def result_source(self, states: Sequence[str]) -> str:
        return states[0]

    def result_type(self, input_type: Any = Unknown) -> Any:
        return {bool: int, int: int, float: float, Decimal: Decimal}.get(plain_type(input_type), Unknown)

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (total_type(input_type),)


def total_type(input_type: Any) -> Any:
    """The type of a running total that starts from the int 0."""
    plain = plain_type(input_type)
    if plain is Decimal:
        return Decimal
    if plain is int or plain is bool:
        return int
    return int | float


def sum_(input: Input) -> Aggregate:
    """The total of a number; 0 where there was none.

    Ints are summed exactly. Floats are summed in order, each addition rounded: after n of them the error is at most
    n · 1.1e-16 times the sum of the absolute values, and subtracting a value again may leave such an error behind.
    """
    return Sum(input=input)
