"""Rates, means and extremes of the last half minute to minute, against the list of all that was recorded."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.observe import Meter
from streams.observe.meter import SAMPLE_S


def test_meter_without_events_has_no_mean_and_no_rate() -> None:
    reading = Meter(5.0).read(6.0)
    assert (reading.total, reading.rate, reading.ratio) == (0, 0.0, 0.0)
    assert math.isnan(reading.mean)
    assert math.isnan(reading.highest)
    assert math.isnan(reading.lowest)


def test_meter_mean_is_of_events_and_extremes_are_of_batches() -> None:
    meter = Meter(0.0)
    meter.record(10, 1.0, 1.0)
    meter.record(30, 9.0, 2.0)
    reading = meter.read(10.0)
    assert (reading.total, reading.rate, reading.ratio, reading.mean) == (40, 4.0, 1.0, 0.25)
    assert (reading.highest, reading.lowest) == (pytest.approx(0.3), pytest.approx(0.1))


def test_meter_forgets_what_is_a_minute_old_and_keeps_the_total() -> None:
    meter = Meter(0.0)
    meter.record(1, 100.0, 1.0)
    meter.record(1, 2.0, 2 * SAMPLE_S + 1)
    reading = meter.read(2 * SAMPLE_S + 2)
    assert (reading.total, reading.amount, reading.highest) == (2, 102.0, 2.0)
    assert meter.read(5 * SAMPLE_S).rate == 0.0


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 40), st.integers(1, 5), st.floats(0, 10, allow_subnormal=False)), min_size=1, max_size=40
    )
)
def test_meter_looks_back_between_half_a_minute_and_a_minute(steps: list[tuple[float, int, float]]) -> None:
    """All of the last 30 s is in it, and nothing that is older than 60 s."""
    now, meter, recorded = 0.0, Meter(0.0), list[tuple[float, int, float]]()
    for wait, events, amount in steps:
        now += wait
        meter.record(events, amount, now)
        recorded.append((now, events, amount / events))
    reading = meter.read(now)
    surely = [(events, each) for at, events, each in recorded if now - at < SAMPLE_S]
    perhaps = [(events, each) for at, events, each in recorded if now - at <= 2 * SAMPLE_S]
    assert reading.total == sum(events for _, events, _ in recorded)
    assert max(each for _, each in surely) <= reading.highest <= max(each for _, each in perhaps)
    assert min(each for _, each in perhaps) <= reading.lowest <= min(each for _, each in surely)
    assert reading.rate <= sum(events for events, _ in perhaps)
