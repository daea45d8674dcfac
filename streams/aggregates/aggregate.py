"""Named aggregates: what `.aggregate(flights=count(), mean_delay=mean(F.minutes))` is told to keep.

An aggregate is a description. Its state is a few values in a list, which live in locals while a record is processed and
go to the changelog as a JSON array; it gives the source text that works on those locals, and the generated code has it
inline:

    mean(F.minutes)        states  count, total
    initial_source()       ["0", "0"]
    update_source          if minutes is not None:
                               count += 1
                               total += minutes
    result_source          (total / count if count else None)

**Null rule.** None inputs are skipped, as in SQL; only `count()` counts every record. An aggregate that saw nothing
gives None, except `count` and `sum_` (0) and the lists (empty).

Every aggregate can be merged with one of later values, as sessions do that grow together. `subtractable` says whether
values can be taken out again, as an aggregation of a table does when a row changes: counts, sums, means, deviations,
sketches and lists of everything can, extremes and the rest cannot, because they have forgotten what came second.

States are replaced, never changed in place, so that a row somebody holds stays what it was. JSON has no NaN and no
infinity: an aggregate whose state becomes one cannot be restored; keep them out with a filter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from streams.aggregates.demand import Demand
from streams.expressions import Expression
from streams.serde import Unknown, plain_type

Input = Expression | Callable[[Any], Any]
"""What is aggregated: an expression, or a function of the value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Aggregate(ABC):
    """One named aggregate.

    `input` is what it aggregates: an expression, a function of the value, or None if it looks at no value. `states`
    below are the names of `state_fields` local variables.
    """

    name: ClassVar[str]
    state_fields: ClassVar[int] = 1
    needs_input: ClassVar[bool] = True
    demand: ClassVar[Demand | None] = None
    """What the inputs have to be; None if anything will do."""
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """What the templates call besides builtins: each is there under exactly this name where they run."""

    input: Input | None = None

    def __post_init__(self) -> None:
        if self.input is None and not self.needs_input:
            return
        if not isinstance(self.input, Expression) and not callable(self.input):
            given = cast(object, self.input)
            field = f"F.{given}" if isinstance(given, str) else "F.minutes"
            raise TypeError(f"{self.name} takes an expression such as {field}, or a function; got {given!r}")

    def __repr__(self) -> str:
        given = repr(self.input) if isinstance(self.input, Expression) else getattr(self.input, "__name__", self.input)
        return f"{self.name}({'' if self.input is None else given})"

    @property
    def subtractable(self) -> bool:
        """Whether a value can be taken out again, which an aggregation of a table needs."""
        return self.subtract_source([f"s{index}" for index in range(self.state_fields)], "v") is not None

    @abstractmethod
    def initial_source(self) -> list[str]:
        """An expression for each state before the first value."""

    @abstractmethod
    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        """Lines that add the value whose source is `value`. May assign locals that begin with `states[0]` and `_`."""

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        """Lines that take a value out again, which was added before; None where a state does not allow that."""
        return None

    @abstractmethod
    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        """Lines that add the states `later`, whose values came after those of `states` (sessions that merge)."""

    @abstractmethod
    def result_source(self, states: Sequence[str]) -> str:
        """An expression for the aggregate's value."""

    @abstractmethod
    def result_type(self, input_type: Any = Unknown) -> Any:
        """The type of the aggregate's value where inputs are of `input_type`."""

    @abstractmethod
    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        """The types a decoder needs to bring the states back from JSON exactly as they were."""


def guarded(states: Sequence[str], value: str, lines: Callable[[str], Sequence[str]]) -> list[str]:
    """`lines(local)` where the value is not None; the value is computed once."""
    before: list[str] = []
    if not value.isidentifier():
        before = [f"{states[0]}_value = {value}"]
        value = f"{states[0]}_value"
    return [*before, f"if {value} is not None:", *(f"    {line}" for line in lines(value))]


def optional(kind: Any) -> Any:
    """`kind | None`, for what is None before the first value."""
    plain = plain_type(kind)
    return Any if plain is Unknown else kind | None
