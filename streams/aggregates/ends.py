"""`first` and `last`: the value that arrived first or last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded, optional
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class End(Aggregate):
    """state: the value, None before the first"""

    def initial_source(self) -> list[str]:
        return ["None"]

    def result_source(self, states: Sequence[str]) -> str:
        return states[0]

    def result_type(self, input_type: Any = Unknown) -> Any:
        return Unknown if plain_type(input_type) is Unknown else optional(input_type)

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (optional(input_type),)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class First(End):
    name: ClassVar[str] = "first"

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        (kept,) = states
        return [f"if {kept} is None:", f"    {kept} = {value}"]

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return self.update_source(states, later[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Last(End):
    name: ClassVar[str] = "last"

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        return guarded(states, value, lambda v: [f"{states[0]} = {v}"])

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return self.update_source(states, later[0])


def first(input: Input) -> Aggregate:
    """The value that arrived first, in the order of the log and not of event time; None where there was none."""
    return First(input=input)


def last(input: Input) -> Aggregate:
    """The value that arrived last, in the order of the log and not of event time; None where there was none."""
    return Last(input=input)
