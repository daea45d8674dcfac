"""Rates, means and extremes over the last half minute to minute, as Kafka's metrics have them.

A meter belongs to the thread that records; any thread may read it. It is told once for a batch, never for a record.
Source: `org.apache.kafka.common.metrics.stats` (`Rate`, `Avg`, `Max`) with two samples of 30 s.
"""

from __future__ import annotations

import math

from msgspec import Struct

SAMPLE_S = 30.0
LEAST_ELAPSED_S = 1.0
"""A rate over less than this would jump about. Differs: Kafka takes 30 s, so that its rates are too low at first."""


class MeterReading(Struct, frozen=True):
    """What a meter says at one moment; `mean`, `highest` and `lowest` are NaN if nothing happened lately."""

    total: int
    """Events since the start."""
    amount: float
    """What they amounted to, since the start."""
    rate: float
    """Events in a second."""
    ratio: float
    """What they amount to in a second: for times, the part of the time they took."""
    mean: float
    """Amount of one event."""
    highest: float
    lowest: float


class Sample:
    """What was recorded from `began` on."""

    __slots__ = ("amount", "began", "events", "highest", "lowest")

    def __init__(self, began: float) -> None:
        self.began = began
        self.events = 0
        self.amount = 0.0
        self.highest = -math.inf
        self.lowest = math.inf


class Meter:
    """Counts events and adds up what they amount to, such as the seconds they took. Times are those of one clock, s."""

    __slots__ = ("_now", "_previous", "amount", "total")

    def __init__(self, now: float) -> None:
        self.total = 0
        self.amount = 0.0
        self._previous = Sample(-math.inf)
        self._now = Sample(now)

    def record(self, events: int, amount: float, now: float) -> None:
        """`events` (at least 1) happened by `now`, which amounted to `amount` together."""
        sample = self._now
        if now - sample.began >= SAMPLE_S:
            self._previous, sample = sample, Sample(now)
            self._now = sample
        self.total += events
        self.amount += amount
        sample.events += events
        sample.amount += amount
        each = amount / events
        if each > sample.highest:
            sample.highest = each
        if each < sample.lowest:
            sample.lowest = each

    def read(self, now: float) -> MeterReading:
        """From any thread; what is being recorded at this moment may be in it by half."""
        recent = [sample for sample in (self._previous, self._now) if now - sample.began < 2 * SAMPLE_S]
        elapsed = max(now - min((sample.began for sample in recent), default=now - SAMPLE_S), LEAST_ELAPSED_S)
        events, amount = sum(sample.events for sample in recent), sum(sample.amount for sample in recent)
        return MeterReading(
            total=self.total,
            amount=self.amount,
            rate=events / elapsed,
            ratio=amount / elapsed,
            mean=amount / events if events else math.nan,
            highest=max(sample.highest for sample in recent) if events else math.nan,
            lowest=min(sample.lowest for sample in recent) if events else math.nan,
        )
