"""`count`: how many records, or how many values that are not null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded
from streams.serde import Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Count(Aggregate):
    """state: count (int)"""

    name: ClassVar[str] = "count"
    needs_input: ClassVar[bool] = False

    def initial_source(self) -> list[str]:
        return ["0"]

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        return self._lines(states, value, "+= 1")

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        return self._lines(states, value, "-= 1")

    def _lines(self, states: Sequence[str], value: str, step: str) -> list[str]:
        (count,) = states
        line = f"{count} {step}"
        return [line] if self.input is None else guarded(states, value, lambda _: [line])

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return [f"{states[0]} += {later[0]}"]

    def result_source(self, states: Sequence[str]) -> str:
        return states[0]

    def result_type(self, input_type: Any = Unknown) -> Any:
        return int

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (int,)


def count(input: Input | None = None) -> Aggregate:
    """The number of records, null values included; with an input, the number of those where it is not None."""
    return Count(input=input)
