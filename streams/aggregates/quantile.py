"""`quantile`: a median or a percentile of a number, from a sketch of bounded size.

Source of the method: DDSketch (Masson, Rim, Lee, PVLDB 2019), without its collapsing of buckets, so that values can be
taken out again and sketches of the same accuracy merge without loss.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streams.aggregates.aggregate import Aggregate, Input, guarded
from streams.aggregates.demand import NUMBER, Demand
from streams.serde import Unknown

LEAST_ACCURACY, GREATEST_ACCURACY = 0.0001, 0.5


def sketch_bucket(magnitude: float, scale: float) -> int:
    """The bucket of a positive number: bucket i holds growth ** (i - 1) < magnitude <= growth ** i."""
    return math.ceil(math.log(magnitude) * scale)


def sketch_add(buckets: dict[int, int], bucket: int, step: int) -> dict[int, int]:
    """The buckets with `step` more in one of them; an empty bucket is left out."""
    changed = buckets.copy()
    held = changed[bucket] = changed.get(bucket, 0) + step
    if not held:
        del changed[bucket]
    return changed


def sketch_merge(buckets: dict[int, int], later: dict[int, int]) -> dict[int, int]:
    """The buckets of both."""
    both = buckets.copy()
    for bucket, held in later.items():
        both[bucket] = both.get(bucket, 0) + held
    return both


def sketch_quantile(
    q: float, growth: float, zeros: int, positive: dict[int, int], negative: dict[int, int]
) -> float | None:
    """The middle of the bucket that holds the value of rank `q` (0: the least, 1: the greatest); None of nothing."""
    rank = int(q * (zeros + sum(positive.values()) + sum(negative.values()) - 1))
    if rank < 0 or not (zeros or positive or negative):
        return None
    for bucket in sorted(negative, reverse=True):
        rank -= negative[bucket]
        if rank < 0:
            return -middle(bucket, growth)
    rank -= zeros
    if rank < 0:
        return 0.0
    for bucket in sorted(positive):
        rank -= positive[bucket]
        if rank < 0:
            return middle(bucket, growth)
    return None


def middle(bucket: int, growth: float) -> float:
    """The number whose relative distance from both ends of the bucket is the same."""
    return min(2.0 * growth ** (bucket - 1) / (1.0 + 1.0 / growth), sys.float_info.max)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Quantile(Aggregate):
    """states: zeros (int), positive and negative (dict of bucket -> count, replaced by new ones at each change)"""

    name: ClassVar[str] = "quantile"
    state_fields: ClassVar[int] = 3
    demand: ClassVar[Demand | None] = NUMBER
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "sketch_bucket": sketch_bucket,
        "sketch_add": sketch_add,
        "sketch_merge": sketch_merge,
        "sketch_quantile": sketch_quantile,
    }

    q: float
    accuracy: float = 0.01

    def __post_init__(self) -> None:
        Aggregate.__post_init__(self)
        if not 0 <= self.q <= 1:
            raise ValueError(f"q of quantile must be from 0 to 1 (0.5 is the median), got {self.q!r}")
        if not LEAST_ACCURACY <= self.accuracy <= GREATEST_ACCURACY:
            raise ValueError(
                f"accuracy of quantile is a relative error from {LEAST_ACCURACY} to {GREATEST_ACCURACY}, "
                f"got {self.accuracy!r}"
            )

    @property
    def growth(self) -> float:
        """How much larger the values of a bucket are than those of the one before."""
        return (1 + self.accuracy) / (1 - self.accuracy)

    def initial_source(self) -> list[str]:
        return ["0", "{}", "{}"]

    def update_source(self, states: Sequence[str], value: str) -> list[str]:
        return self._step(states, value, 1)

    def subtract_source(self, states: Sequence[str], value: str) -> list[str] | None:
        return self._step(states, value, -1)

    def _step(self, states: Sequence[str], value: str, step: int) -> list[str]:
        zeros, positive, negative = states
        scale = 1 / math.log(self.growth)
        return guarded(
            states,
            value,
            lambda v: [
                f"if {v} > 0:",
                f"    {positive} = sketch_add({positive}, sketch_bucket({v}, {scale!r}), {step})",
                f"elif {v} < 0:",
                f"    {negative} = sketch_add({negative}, sketch_bucket(-{v}, {scale!r}), {step})",
                f"elif {v} == 0:",  # NaN is none of these, and is left out
                f"    {zeros} += {step}",
            ],
        )

    def merge_source(self, states: Sequence[str], later: Sequence[str]) -> list[str]:
        zeros, positive, negative = states
        return [
            f"{zeros} += {later[0]}",
            f"{positive} = sketch_merge({positive}, {later[1]})",
            f"{negative} = sketch_merge({negative}, {later[2]})",
        ]

    def result_source(self, states: Sequence[str]) -> str:
        zeros, positive, negative = states
        return f"sketch_quantile({self.q!r}, {self.growth!r}, {zeros}, {positive}, {negative})"

    def result_type(self, input_type: Any = Unknown) -> Any:
        return float | None

    def state_types(self, input_type: Any = Unknown) -> tuple[Any, ...]:
        return (int, dict[int, int], dict[int, int])


def quantile(input: Input, q: float, *, accuracy: float = 0.01) -> Aggregate:
    """About the value below which the share `q` of the values lies: 0.5 is the median. None where there was none.

    Args:
        q: from 0 (the least value) to 1 (the greatest). The value of rank floor(q · (n - 1)) is meant.
        accuracy: how far the result may be from that value, as a share of it: with 0.01 it is within 1 %.

    The state is one count for each bucket of values that are alike: at 1 % some 115 buckets for each factor of ten
    between the least and the greatest value, all of which are in each changelog record. NaN is left out.
    """
    return Quantile(input=input, q=q, accuracy=accuracy)
