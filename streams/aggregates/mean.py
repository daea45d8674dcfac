"""`mean`: the average of a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded
from streams.aggregates.demand import NUMBER, Demand
from streams.aggregates.sum import total_type
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Mean(Aggregate):
    """states: count (int), total (as of `sum_`)"""

    name: ClassVar[str] = "mean"
    state_fields: ClassVar[int] = 2
    demand: ClassVar[Demand | None] = NUMBER

    def initial_source(self) -> list[str]:
        return ["0", "0"]

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        count, total = states
        return guarded(states, value, lambda v: [f"{count} += 1", f"{total} += {v}"])

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        count, total = states
        # an empty group starts anew, without what rounding left behind
        return guarded(states, value, lambda v: [f"{count} -= 1", f"{total} = {total} - {v} if {count} else 0"])

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return [f"{state} += {other}" for state, other in zip(states, later)]

    def result_source(self, states: Sequence[str]) -> str:
        count, total = states
        return f"({total} / {count} if {count} else None)"

    def result_type(self, input_type: Any = Unknown) -> Any:
        plain = plain_type(input_type)
        if plain is Decimal:
            return Decimal | None
        return float | None if plain in (bool, int, float) else Unknown

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (int, total_type(input_type))


def mean(input: Input) -> Aggregate:
    """The average of a number; None where there was none.

    Of ints it is the exact average, rounded once. Of floats it is the total, with the error that `sum_` describes,
    divided by the count: ten million values of one sign are within 1e-9 of their average.
    """
    return Mean(input=input)
