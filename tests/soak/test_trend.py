"""What the long run calls flat, and what it calls a rise."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.soak.endurance.trend import Sample, Tolerance, Trend

TWO_PERCENT = Tolerance(share=0.02)


def series(value_at: Callable[[int], float], noise: float = 1.0) -> list[Sample]:
    """Twenty minutes, a sample each five seconds."""
    draw = random.Random(3)
    return [(float(at), value_at(at) + draw.uniform(-noise, noise)) for at in range(0, 1_200, 5)]


def test_trend_of_noise_holds() -> None:
    assert TWO_PERCENT.holds(Trend.of(series(lambda at: 200.0, noise=20.0)))


def test_trend_of_a_saw_tooth_holds() -> None:
    """Rebalances: up for two minutes, down for two."""
    assert TWO_PERCENT.holds(Trend.of(series(lambda at: 200.0 + 30.0 * (at // 120 % 2))))


def test_trend_of_single_peaks_holds() -> None:
    assert TWO_PERCENT.holds(Trend.of(series(lambda at: 5_000.0 if at > 1_100 else 200.0)))


@pytest.mark.parametrize("whole", [200.0, 0.0])
def test_trend_of_a_leak_does_not_hold(whole: float) -> None:
    """A MiB a minute."""
    trend = Trend.of(series(lambda at: whole + at / 60))

    assert trend.rise == pytest.approx(20.0, abs=1.0)
    assert not TWO_PERCENT.holds(trend)


def test_tolerance_of_an_amount_holds_for_a_small_median() -> None:
    assert Tolerance(share=0.02, amount=2.0).holds(Trend(median=10.0, rise=1.5))
    assert not Tolerance(share=0.02, amount=2.0).holds(Trend(median=10.0, rise=2.5))


def test_trend_that_falls_holds() -> None:
    assert TWO_PERCENT.holds(Trend.of(series(lambda at: 500.0 - at / 6)))
