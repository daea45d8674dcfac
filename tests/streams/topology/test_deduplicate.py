"""`deduplicate` against a plain statement of its rule."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, F, Json, TopologyError
from streams.testing import TopologyTestDriver
from tests.streams.topology.test_compile import Bench, message

WITHIN = 10


def deduplicated(by: Any = None, within: int = WITHIN, key_changes: bool = False) -> App:
    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    if key_changes:
        stream = stream.select_key(lambda key, value: key, key=str)
    stream.deduplicate(within=timedelta(milliseconds=within), by=by, store="seen").to("out")
    return app


def passed(app: App, *records: tuple[str | None, Any, int]) -> list[tuple[Any, int]]:
    with TopologyTestDriver(app) as driver:
        for key, value, timestamp in records:
            driver.input_topic("in").pipe(value, key=key, timestamp=timestamp)
        return [(record.value, record.timestamp) for record in driver.output_topic("out").read_all()]


def test_deduplicate_passes_the_first_record_of_a_key_until_the_time_is_over() -> None:
    """The time runs from the record that passed; repetitions do not prolong it, and null values repeat like others."""
    records = [("a", 1, 100), ("a", 2, 109), ("b", 3, 105), ("a", None, 110), ("a", 5, 111), ("a", 6, 101)]
    assert passed(deduplicated(), *records) == [(1, 100), (3, 105), (None, 110)]


def test_deduplicate_by_a_function_tells_records_of_one_key_apart() -> None:
    """An identity of None passes; the same identity under another key is another."""
    records = [
        ("a", {"id": 1}, 100), ("a", {"id": 2}, 101), ("b", {"id": 1}, 102),
        ("a", {"id": 1}, 103), ("a", {"id": None}, 104), ("a", {"id": None}, 104),
    ]  # fmt: skip
    expected = [({"id": 1}, 100), ({"id": 2}, 101), ({"id": 1}, 102), ({"id": None}, 104), ({"id": None}, 104)]
    assert passed(deduplicated(by=F.id), *records) == expected
    assert passed(deduplicated(by=lambda key, value: value["id"]), *records) == expected


def test_deduplicate_drops_null_keys_and_counts_what_it_drops() -> None:
    bench = Bench(deduplicated())
    bench.run("in", [message(1, key=None), message(1, key="a"), message(1, key="a")])
    assert len(bench.sent) == 1
    assert (bench.counters.dropped_null_key, bench.counters.dropped_duplicate) == (1, 1)


def test_deduplicate_repartitions_a_changed_key() -> None:
    plan = deduplicated(key_changes=True).plan()
    assert [source.topic for sub in plan.subtopologies for source in sub.sources] == [
        "in",
        "app-in-deduplicate-repartition",
    ]


def test_deduplicate_without_a_time_is_a_problem() -> None:
    with pytest.raises(TopologyError, match="at least one millisecond"):
        deduplicated(within=0).plan()


def test_deduplicate_forgets_what_it_does_not_need() -> None:
    """Twice the time after it passed, a record leaves the store; one that comes later than that passes again."""
    app = deduplicated()
    with TopologyTestDriver(app) as driver:
        for timestamp in (100, 130, 101):
            driver.input_topic("in").pipe(0, key="a", timestamp=timestamp)
        assert len(driver.output_topic("out").read_all()) == 3
        assert [start for _, start in driver.rows("seen")] == [130]


@given(
    records=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 120)), max_size=40),
    cuts=st.sets(st.integers(0, 40)),
)
def test_deduplicate_gives_what_the_rule_says_wherever_batches_end(
    records: list[tuple[str, int]], cuts: set[int]
) -> None:
    """Passed, unless something remembered of the same key passed less than `within` away."""
    expected: list[tuple[str, int]] = []
    remembered: list[tuple[str, int]] = []
    clock = -1
    for key, ts in records:
        clock = max(clock, ts)
        oldest = clock - 2 * WITHIN + 1
        if not any(key == k and abs(ts - t) < WITHIN and t >= oldest for k, t in remembered):
            expected.append((key, ts))
            if ts >= oldest:
                remembered.append((key, ts))
    bench = Bench(deduplicated())
    messages = [message(0, key=key, ts=ts) for key, ts in records]
    edges = sorted({0, len(messages)} | {cut for cut in cuts if cut < len(messages)})
    for start, end in pairwise(edges):
        bench.run("in", messages[start:end])
        bench.state.commit({}, {})
    assert [(key.decode(), ts) for _, key, _, ts in bench.sent] == expected
