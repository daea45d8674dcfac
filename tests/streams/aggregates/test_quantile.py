"""The quantile sketch against sorting all values."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams import App, F, tumbling
from streams.aggregates import count, quantile
from streams.testing import TopologyTestDriver
from tests.streams.aggregates.evaluation import Evaluation

NUMBERS = st.lists(st.none() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False))
SHARES = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0])


def of_rank(values: Sequence[Any], q: float) -> float | None:
    kept = sorted(value for value in values if value is not None)
    return kept[int(q * (len(kept) - 1))] if kept else None


def assert_close(result: float | None, exact: float | None, accuracy: float) -> None:
    if exact is None or result is None:
        assert result == exact
    elif abs(exact) > 1e-300:  # beneath, floats themselves have no such accuracy
        assert abs(result - exact) <= accuracy * abs(exact) * (1 + 1e-9)
    else:
        assert abs(result - exact) < 1e-299


@given(NUMBERS, SHARES, st.sampled_from([0.001, 0.01, 0.2]))
@example([1.7976931348623157e308, -1.7976931348623157e308, 5e-324], 0.5, 0.01)
def test_quantile_of_numbers_is_within_its_accuracy(values: list[Any], q: float, accuracy: float) -> None:
    result = Evaluation(quantile(F.x, q, accuracy=accuracy)).of(values)
    assert_close(result, of_rank(values, q), accuracy)


@given(NUMBERS, NUMBERS, SHARES)
def test_quantile_of_merged_sketches_is_that_of_one_sketch(before: list[Any], after: list[Any], q: float) -> None:
    evaluation = Evaluation(quantile(F.x, q))
    merged = evaluation.merge(evaluation.states_of(before), evaluation.states_of(after))
    assert evaluation.result(merged) == evaluation.of(before + after)


@given(NUMBERS, st.data(), SHARES)
def test_quantile_after_subtraction_is_that_of_the_rest(values: list[Any], data: st.DataObject, q: float) -> None:
    evaluation = Evaluation(quantile(F.x, q))
    assert evaluation.subtract is not None
    states = evaluation.states_of(values)
    gone = data.draw(st.sets(st.sampled_from(range(len(values))))) if values else set[int]()
    for index in gone:
        before = repr(states)
        after = evaluation.subtract(states, values[index])
        assert repr(states) == before
        states = evaluation.through_json(after)
    assert evaluation.result(states) == evaluation.of([v for i, v in enumerate(values) if i not in gone])


def test_quantile_of_nan_is_left_out() -> None:
    assert Evaluation(quantile(F.x, 0.5)).of([math.nan, 0.0, math.nan]) == 0.0
    assert Evaluation(quantile(F.x, 0.5)).of([math.nan]) is None


def test_quantile_state_grows_with_the_range_and_not_with_the_number_of_values() -> None:
    rng = random.Random(7)
    evaluation = Evaluation(quantile(F.x, 0.99))
    states = evaluation.initial()
    values = [rng.lognormvariate(3, 1) for _ in range(20_000)]
    for value in values:
        states = evaluation.update(states, value)
    assert len(states[1]) < 120 * math.log10(max(values) / min(values))
    exact = statistics.quantiles(values, n=100)[98]
    assert abs(evaluation.result(states) - exact) < 0.015 * exact


@pytest.mark.parametrize(
    ("q", "accuracy", "message"),
    [(1.5, 0.01, "q of quantile must be from 0 to 1"), (0.5, 0.0, "accuracy of quantile is a relative error")],
)
def test_quantile_of_impossible_options_names_them(q: float, accuracy: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quantile(F.x, q, accuracy=accuracy)


def test_quantile_in_a_windowed_aggregate_runs_compiled_and_reads_back() -> None:
    """In generated code, in the result's JSON, and in rows that went to the store and came back."""
    app = App("app")
    (
        app.stream("in", key=str, value=dict)
        .group_by_key()
        .windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0)))
        .aggregate(n=count(), median=quantile(F["ms"], 0.5), store="latency")
        .to_stream()
        .to("out")
    )
    with TopologyTestDriver(app) as driver:
        for ms in (10, 1000, 20, 30, 15):
            driver.input_topic("in").pipe({"ms": ms}, key="k", timestamp=5)
        (_, plan) = next(driver._plan.stores())  # pyright: ignore[reportPrivateUsage]
        ((value, _),) = driver.rows("latency").values()
        assert value.n == 5
        assert value.median == pytest.approx(20, rel=0.01)
        assert driver.output_topic("out").read_all()[-1].value.median == value.median
        codec = plan.spec.codec
        assert codec.decode(codec.encode((5, 0, {3: 5}, {}))) == (5, 0, {3: 5}, {})
