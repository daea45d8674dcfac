"""Whether a series of samples rises."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

Sample = tuple[float, float]
"""Seconds, and what was measured then."""


@dataclass(frozen=True, slots=True)
class Trend:
    """What a quantity did over a stretch of time."""

    median: float
    rise: float
    """From the beginning to the end, by the line of Theil and Sen: its slope is the median of the slopes between all
    pairs, so that single peaks, such as those of rebalances, do not bend it."""

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Trend:
        """At least two samples, in order of time."""
        slopes = [(b - a) / (then - now) for (now, a), (then, b) in combinations(samples, 2) if then > now]
        lasted = samples[-1][0] - samples[0][0]
        return cls(statistics.median(value for _, value in samples), statistics.median(slopes) * lasted)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much a quantity may rise and is still called flat: a share of its median, or so much, whichever is more."""

    share: float = 0.0
    amount: float = 0.0

    def holds(self, trend: Trend) -> bool:
        return trend.rise <= max(self.share * trend.median, self.amount)
