"""`min_` and `max_`: the least and the greatest value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded, optional
from streams.aggregates.demand import COMPARABLE, Demand
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Extreme(Aggregate):
    """state: the value so far, None before the first"""

    symbol: ClassVar[str]
    demand: ClassVar[Demand | None] = COMPARABLE

    def initial_source(self) -> list[str]:
        return ["None"]

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        (best,) = states
        return guarded(
            states, value, lambda v: [f"if {best} is None or {v} {self.symbol} {best}:", f"    {best} = {v}"]
        )

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return self.update_source(states, later[0])

    def result_source(self, states: Sequence[str]) -> str:
        return states[0]

    def result_type(self, input_type: Any = Unknown) -> Any:
        return Unknown if plain_type(input_type) is Unknown else optional(input_type)

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (optional(input_type),)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Min(Extreme):
    name: ClassVar[str] = "min_"
    symbol: ClassVar[str] = "<"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Max(Extreme):
    name: ClassVar[str] = "max_"
    symbol: ClassVar[str] = ">"


def min_(input: Input) -> Aggregate:
    """The least value, the first of equal ones; None where there was none. Values must have an order."""
    return Min(input=input)


def max_(input: Input) -> Aggregate:
    """The greatest value, the first of equal ones; None where there was none. Values must have an order."""
    return Max(input=input)
