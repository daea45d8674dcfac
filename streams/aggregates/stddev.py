"""`stddev`: how far a number strays from its mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded
from streams.aggregates.demand import BINARY, Demand
from streams.serde import Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StandardDeviation(Aggregate):
    """states: count (int), mean (float), squares (float): the sum of squared distances from the mean

    Welford's recurrence, which loses no digits where the mean is large and the spread small, as sums of squares do.
    Taking a value out runs it backwards; merging is Chan's formula.
    """

    name: ClassVar[str] = "stddev"
    state_fields: ClassVar[int] = 3
    demand: ClassVar[Demand | None] = BINARY

    degrees: int = 1

    def __post_init__(self) -> None:
        Aggregate.__post_init__(self)
        if self.degrees not in (0, 1):
            raise ValueError(f"ddof of stddev must be 1 (of a sample) or 0 (of all there is), got {self.degrees!r}")

    def initial_source(self) -> list[str]:
        return ["0", "0.0", "0.0"]

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        count, mean, squares = states
        delta = f"{count}_delta"
        return guarded(
            states,
            value,
            lambda v: [
                f"{count} += 1",
                f"{delta} = {v} - {mean}",
                f"{mean} += {delta} / {count}",
                f"{squares} += {delta} * ({v} - {mean})",
            ],
        )

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        count, mean, squares = states
        delta = f"{count}_delta"
        return guarded(
            states,
            value,
            lambda v: [
                f"{count} -= 1",
                f"if {count}:",
                f"    {delta} = {v} - {mean}",
                f"    {mean} -= {delta} / {count}",
                f"    {squares} = max(0.0, {squares} - {delta} * ({v} - {mean}))",
                "else:",
                f"    {mean} = {squares} = 0.0",
            ],
        )

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        count, mean, squares = states
        other_count, other_mean, other_squares = later
        delta, both = f"{count}_delta", f"{count}_both"
        return [
            f"if {other_count}:",
            f"    {both} = {count} + {other_count}",
            f"    {delta} = {other_mean} - {mean}",
            f"    {squares} += {other_squares} + {delta} * {delta} * {count} * {other_count} / {both}",
            f"    {mean} += {delta} * {other_count} / {both}",
            f"    {count} = {both}",
        ]

    def result_source(self, states: Sequence[str]) -> str:
        count, _, squares = states
        if self.degrees == 0:
            return f"(({squares} / {count}) ** 0.5 if {count} else None)"
        return f"(({squares} / ({count} - 1)) ** 0.5 if {count} > 1 else None)"

    def result_type(self, input_type: Any = Unknown) -> Any:
        return float | None

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (int, float, float)


def stddev(input: Input, *, ddof: int = 1) -> Aggregate:
    """The standard deviation of a number.

    Args:
        ddof: 1 for the deviation of a sample (None with fewer than two values), 0 for that of a whole population (None
            with none).
    """
    return StandardDeviation(input=input, degrees=ddof)
