"""The comparison of brokers: its table, and the measures against the bundled one."""

from __future__ import annotations

import pytest

from bench.broker.__main__ import table
from bench.broker.contenders import Bundled
from bench.broker.measures import MEASURES


def test_table_ratio_is_taken_round_by_round() -> None:
    found = {
        "a": [{"x /s": 10.0}, {"x /s": 30.0}, {"x /s": 20.0}],
        "b": [{"x /s": 5.0}, {"x /s": 10.0}, {"x /s": 20.0}],
    }
    assert table(found)[2:] == ["| x /s | 20.00 | 10.00 | 2.00 | 2.00, 3.00, 1.00 |"]


@pytest.mark.parametrize("name", ["produce-consume", "single", "latency", "transactions", "memory"])
def test_measure_of_the_bundled_broker_gives_figures(name: str) -> None:
    bundled = Bundled()
    bundled.spawn()
    try:
        figures = MEASURES[name](bundled, 0.01)
        assert figures
        assert all(value >= 0 for value in figures.values())
    finally:
        bundled.close()
