"""Where a record's time comes from, and what happens if it is none."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from streams import App, Context, F, Json, ProcessingError, TopologyError
from streams.compile.program import RecordFailure
from streams.testing import TopologyTestDriver
from tests.streams.topology.test_compile import Bench, message


def times(app: App, *values: Any, key: str = "k", own: int = 5) -> list[tuple[Any, int]]:
    """What comes out of `in` -> `out` for these values, all with the record's own timestamp `own`."""
    with TopologyTestDriver(app) as driver:
        for value in values:
            driver.input_topic("in").pipe(value, key=key, timestamp=own)
        return [(record.value, record.timestamp) for record in driver.output_topic("out").read_all()]


@pytest.mark.parametrize(
    "extractor",
    [F.ts, lambda value: value["ts"], lambda key, value: value["ts"] if key == "k" else 0],
    ids=["expression", "of the value", "of key and value"],
)
def test_timestamp_extractor_gives_event_time_except_for_null_values(extractor: Any) -> None:
    app = App("a")
    app.stream("in", key=str, value=dict, timestamp=extractor).to("out")
    assert times(app, {"ts": 70}, None, {"ts": 60}) == [({"ts": 70}, 70), (None, 5), ({"ts": 60}, 60)]


def test_timestamp_extractor_with_a_context_sees_the_records_own_timestamp() -> None:
    def later(value: dict[str, int], context: Context) -> int:
        return context.timestamp + value["by"]

    app = App("a")
    app.stream("in", key=str, value=dict, timestamp=later).to("out")
    assert times(app, {"by": 3}) == [({"by": 3}, 8)]


@pytest.mark.parametrize("role", ["stream", "table"])
def test_negative_timestamp_fails_by_default(role: str) -> None:
    app = App("a")
    source: Any = getattr(app, role)("in", key=str, value=int, timestamp=lambda value: value)
    (source if role == "stream" else source.to_stream()).to("out")
    with pytest.raises(ProcessingError, match=r"no usable timestamp \(-1\)"):
        times(app, 1, -1)


def test_negative_timestamp_is_skipped_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    app = App("a")
    app.stream("in", key=str, value=Json(), timestamp=lambda value: value, invalid_timestamp="skip").to("out")
    bench = Bench(app)
    records = [message(value, ts=3) for value in (1, -1, 2, -7)]
    with caplog.at_level(logging.WARNING):
        assert bench.run("in", records) == 4
    assert [sent[3] for sent in bench.sent] == [1, 2]
    assert bench.counters.dropped_invalid_timestamp == 2
    assert len(caplog.records) == 1


def test_negative_timestamp_takes_the_partitions_time_where_there_is_one() -> None:
    app = App("a")
    app.stream("in", key=str, value=Json(), timestamp=lambda value: value, invalid_timestamp="partition_time").to("out")
    bench = Bench(app)
    with pytest.raises(RecordFailure, match="no usable timestamp") as caught:
        bench.run("in", [message(-1)])
    assert caught.value.kind == "processing"
    bench.run("in", [message(value) for value in (4, 9, -1, 7, -2)])
    assert [sent[3] for sent in bench.sent] == [4, 9, 9, 7, 9]


def test_extractor_that_raises_is_named_as_the_users_function() -> None:
    app = App("a")
    app.stream("in", key=str, value=dict, timestamp=lambda value: value["no"]).to("out")
    with pytest.raises(ProcessingError, match=r"<lambda>.*KeyError: 'no'"):
        times(app, {})


def test_topic_read_twice_with_different_policies_is_a_problem() -> None:
    app = App("a")
    app.stream("in", invalid_timestamp="skip").to("out")
    app.stream("in").to("other")
    with pytest.raises(TopologyError, match="read twice in different ways"):
        app.plan()


def test_max_task_idle_is_a_setting() -> None:
    app = App("a", max_task_idle=timedelta(milliseconds=250))
    app.stream("in").to("out")
    assert app.worker(bootstrap_servers="127.0.0.1:1").options.max_task_idle_ms == 250
