"""What goes with a record through the operators: its headers, and its coordinates for functions that ask."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from streams import App, Context, F, FixedKeyProcessor, Json, KStream, Processor, tumbling
from streams.testing import TopologyTestDriver

HEADERS = [("trace", b"1"), ("trace", None)]
AnyStream = KStream[Any, Any]


class Through(Processor[Any, Any]):
    def process(self, record: Any) -> None:
        self.context.forward(record)


class ThroughValues(FixedKeyProcessor[Any, Any]):
    def process(self, record: Any) -> None:
        self.context.forward(record)


OPERATORS: dict[str, Callable[[App, AnyStream], AnyStream]] = {
    "filter": lambda app, s: s.filter(lambda k, v: True),
    "filter_not": lambda app, s: s.filter_not(lambda k, v: False),
    "map_values": lambda app, s: s.map_values(lambda v: 2),
    "map": lambda app, s: s.map(lambda k, v: ("x", v)),
    "flat_map": lambda app, s: s.flat_map(lambda k, v: [("x", v)]),
    "flat_map_values": lambda app, s: s.flat_map_values(lambda v: [v]),
    "select_key": lambda app, s: s.select_key(lambda k, v: "x", key=str),
    "peek": lambda app, s: s.peek(lambda k, v: None),
    "merge": lambda app, s: s.merge(app.stream("other", key=str, value=Json())),
    "split": lambda app, s: s.split().branch(lambda k, v: True, name="all").no_default_branch()["all"],
    "repartition": lambda app, s: s.repartition(),
    "to_table": lambda app, s: s.to_table().to_stream(),
    "count": lambda app, s: s.group_by_key().count().to_stream(),
    "reduce": lambda app, s: s.group_by(lambda k, v: "x", key=str).reduce(lambda a, v: v).to_stream(),
    "window": lambda app, s: (
        s.group_by_key().windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0))).count().to_stream()
    ),
    "join": lambda app, s: s.left_join(app.table("table", key=str, value=Json()), lambda left, right: left),
    "deduplicate": lambda app, s: s.deduplicate(within=timedelta(seconds=1)),
    "process": lambda app, s: s.process(Through),
    "process_values": lambda app, s: s.process_values(ThroughValues),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_headers_go_through_every_operator(operator: str) -> None:
    """What an operator forwards has the headers of the record that made it do so, as in Kafka Streams."""
    app = App("a")
    OPERATORS[operator](app, app.stream("in", key=str, value=Json())).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k", timestamp=5, headers=HEADERS)
        record = driver.output_topic("out").read()
    assert record.headers == HEADERS
    assert record.timestamp == 5


def test_every_function_may_ask_for_the_records_context() -> None:
    """Predicates, mappers, selectors, actions, topics, reducers and joiners alike."""
    asked: dict[str, Context] = {}

    def asks(name: str, result: Any, *, arguments: int) -> Any:
        def one(value: Any, context: Context) -> Any:
            asked[name] = context
            return result

        def two(key: Any, value: Any, context: Context) -> Any:
            asked[name] = context
            return result

        def three(key: Any, value: Any, aggregate: Any, context: Context) -> Any:
            asked[name] = context
            return result

        return {1: one, 2: two, 3: three}[arguments]

    app = App("a")
    stream = app.stream("in", key=str, value=Json(), timestamp=asks("timestamp", 7, arguments=1))
    (
        stream.filter(asks("filter", True, arguments=2))
        .filter_not(asks("filter_not", False, arguments=2))
        .map_values(asks("map_values", 1, arguments=1))
        .map_values(asks("map_values of key and value", 1, arguments=2))
        .flat_map_values(asks("flat_map_values", [1], arguments=1))
        .map(asks("map", ("k", 1), arguments=2), key=str, value=Json())
        .flat_map(asks("flat_map", [("k", 1)], arguments=2), key=str, value=Json())
        .select_key(asks("select_key", "k", arguments=2), key=str)
        .peek(asks("peek", None, arguments=2))
        .split()
        .branch(asks("branch", True, arguments=2), name="all")
        .no_default_branch()["all"]
        .foreach(asks("foreach", None, arguments=2))
    )
    stream.deduplicate(within=timedelta(seconds=1), by=asks("deduplicate", 1, arguments=1)).to(
        asks("to", "out", arguments=2)
    )
    stream.join(app.table("table", key=str, value=Json()), asks("join", 1, arguments=2)).foreach(lambda k, v: None)
    stream.group_by(asks("group_by", "k", arguments=2), key=str).aggregate(
        lambda: 0, asks("aggregate", 1, arguments=3), value=int
    )
    with TopologyTestDriver(app) as driver:
        driver.input_topic("table").pipe(1, key="k", timestamp=1)
        driver.input_topic("in").pipe(1, key="k", timestamp=5, headers=HEADERS)
    assert len(asked) == 17
    times = {name: context.timestamp for name, context in asked.items()}
    assert times == {name: 5 if name == "timestamp" else 7 for name in asked}, "the extractor sees the record's own"
    assert {(c.topic, c.partition, c.offset) for name, c in asked.items() if name != "aggregate"} == {("in", 0, 0)}
    assert asked["aggregate"].topic == "a-in-aggregate-repartition"
    assert all(context.headers == HEADERS for context in asked.values())


def kind_of(key: str, value: dict[str, str], context: Context) -> str:
    assert context.topic == "in"
    return value["kind"]


@pytest.mark.parametrize("topic", [F.kind, lambda k, v: v["kind"], kind_of], ids=["expression", "function", "context"])
def test_to_a_topic_that_each_record_names(topic: Any) -> None:
    app = App("a")
    app.stream("in", key=str, value=dict).to(topic)
    with TopologyTestDriver(app) as driver:
        for kind in ("red", "blue", "red"):
            driver.input_topic("in").pipe({"kind": kind}, key="k", timestamp=1)
        assert (len(driver.output_topic("red")), len(driver.output_topic("blue"))) == (2, 1)


def test_print_writes_a_line_for_each_record(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """To standard output under the operator's name, to an open file, or to a file by its path; with a mapper or not."""
    app, opened, path = App("a"), io.StringIO(), tmp_path / "printed"
    stream = app.stream("in", key=str, value=Json())
    stream.print()
    stream.print(label="mine", file=opened, mapper=lambda key, value: f"{key}={value}")
    stream.print(name="named", file=path)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k", timestamp=1)
        driver.input_topic("in").pipe(None, key=None, timestamp=1)
    assert capsys.readouterr().out == "[in-print]: k, 1\n[in-print]: None, None\n"
    assert opened.getvalue() == "[mine]: k=1\n[mine]: None=None\n"
    assert path.read_text() == "[named]: k, 1\n[named]: None, None\n"
