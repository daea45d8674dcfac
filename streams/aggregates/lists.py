"""`collect`, `distinct` and `top_k`: aggregates that keep values themselves, in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded
from streams.aggregates.demand import COMPARABLE, Demand
from streams.serde import Unknown, plain_type


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ListAggregate(Aggregate):
    """state: a list, replaced by a new one at each change; the result is a copy, which the user may change"""

    limit: int | None = None

    def __post_init__(self) -> None:
        Aggregate.__post_init__(self)
        what = "k" if isinstance(self, TopK) else "limit"
        if self.limit is not None and (type(self.limit) is not int or self.limit < 1):
            raise ValueError(f"{what} of {self.name} must be a positive int, got {self.limit!r}")

    def initial_source(self) -> list[str]:
        return ["[]"]

    def result_source(self, states: Sequence[str]) -> str:
        return f"{states[0]}.copy()"

    def result_type(self, input_type: Any = Unknown) -> Any:
        plain = plain_type(input_type)
        return list if plain is Unknown else list[plain]

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (self.result_type(input_type),)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Collect(ListAggregate):
    name: ClassVar[str] = "collect"

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        (kept,) = states
        if self.limit is None:
            return guarded(states, value, lambda v: [f"{kept} = [*{kept}, {v}]"])
        return guarded(states, value, lambda v: [f"if len({kept}) < {self.limit}:", f"    {kept} = [*{kept}, {v}]"])

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        (kept,) = states
        if self.limit is not None:  # what came after the limit is forgotten
            return None
        at = f"{kept}_at"
        return guarded(
            states,
            value,
            lambda v: [
                f"if {v} in {kept}:",
                f"    {at} = {kept}.index({v})",
                f"    {kept} = [*{kept}[:{at}], *{kept}[{at} + 1:]]",
            ],
        )

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        both = f"[*{states[0]}, *{later[0]}]"
        return [f"{states[0]} = {both}" if self.limit is None else f"{states[0]} = {both}[:{self.limit}]"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Distinct(ListAggregate):
    name: ClassVar[str] = "distinct"

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        (kept,) = states
        room = "" if self.limit is None else f"len({kept}) < {self.limit} and "
        return guarded(states, value, lambda v: [f"if {room}{v} not in {kept}:", f"    {kept} = [*{kept}, {v}]"])

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        item = f"{states[0]}_item"
        return [f"for {item} in {later[0]}:", *(f"    {line}" for line in self.update_source(states, item))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TopK(ListAggregate):
    name: ClassVar[str] = "top_k"
    demand: ClassVar[Demand | None] = COMPARABLE

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        (kept,) = states
        return guarded(
            states,
            value,
            lambda v: [
                f"if len({kept}) < {self.limit} or {v} > {kept}[-1]:",
                f"    {kept} = sorted([*{kept}, {v}], reverse=True)[:{self.limit}]",
            ],
        )

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        return [f"{states[0]} = sorted([*{states[0]}, *{later[0]}], reverse=True)[:{self.limit}]"]


def collect(input: Input, *, limit: int | None = None) -> Aggregate:
    """All values in the order of arrival; with a `limit`, the first so many. Of a table: the values of its rows; a row
    that changes takes its old value out (of equal ones the first) and adds the new one at the end.

    The whole list is in every update and every changelog record: without a limit a busy key grows without bound.
    """
    return Collect(input=input, limit=limit)


def distinct(input: Input, *, limit: int | None = None) -> Aggregate:
    """The values that differ, each where it first arrived; with a `limit`, the first so many.

    Compared with `==` one by one, so 1, 1.0 and True are the same; meant for tens of values, not for thousands.
    """
    return Distinct(input=input, limit=limit)


def top_k(input: Input, *, k: int) -> Aggregate:
    """The `k` greatest values, greatest first, equal ones kept as often as they came and in that order."""
    return TopK(input=input, limit=k)
