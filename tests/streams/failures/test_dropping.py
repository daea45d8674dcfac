"""A record that fails at an operator is dropped there: what was done above stands, and the others go on.

Source: Kafka Streams asks the processing handler in `ProcessorNode.process`, so what it says is of one operator.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from streams import App, F, FailedRecord, ProcessingError, Processor, SerdeError, hopping, tumbling
from streams.errors import StreamsError
from streams.testing import TopologyTestDriver


class Asked:
    """A handler that says `continue`, and remembers."""

    def __init__(self, answer: Any = "continue") -> None:
        self.failed: list[FailedRecord] = []
        self.answer = answer

    def __call__(self, failed: FailedRecord) -> Any:
        self.failed.append(failed)
        return self.answer


def unless(bad: Any) -> Callable[[Any], Any]:
    """Raises for one value."""

    def check(value: Any) -> Any:
        if value == bad:
            raise LookupError("boom")
        return value

    return check


def read(driver: TopologyTestDriver, topic: str) -> list[Any]:
    return [record.value for record in driver.output_topic(topic).read_all()]


def test_record_that_fails_on_one_way_goes_the_others() -> None:
    handler = Asked()
    app = App("app", processing_handler=handler)
    stream = app.stream("in", key=str, value=int)
    stream.map_values(lambda value: value + 1).to("before", value=int)
    stream.map_values(unless(2), name="check").to("checked", value=int)
    stream.to("behind", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values([1, 2, 3], key="k")
        assert (read(driver, "before"), read(driver, "checked"), read(driver, "behind")) == (
            [2, 3, 4],
            [1, 3],
            [1, 2, 3],
        )
        assert driver.counters()["skipped_processing"] == 1
        (task,) = driver._tasks
        assert {node: (at.records, "boom" in at.last) for node, at in task.counters.skipped_at.items()} == {
            "check": (1, True)
        }
    [failed] = handler.failed
    assert (failed.node, failed.kind, failed.topic, failed.partition, failed.offset) == (
        "check",
        "processing",
        "in",
        0,
        1,
    )
    assert (failed.key, failed.value, failed.headers) == (b"k", (2).to_bytes(8, "big"), [])
    assert isinstance(failed.cause, LookupError)
    assert failed.source_line is not None
    assert failed.source_line.file == __file__
    assert str(failed.task) == "0_0"


def test_expression_on_a_null_value_fails_with_operator_line_and_what_to_do() -> None:
    """As a function would, which is given nulls too. An error that has nothing to do with nulls has the usual cure."""
    app = App("app")
    stream = app.stream("in", key=str, value=dict)
    stream.map_values(F.cents + 1, name="more").to("out")
    told = r"^more \(.*test_dropping\.py:\d+\) failed in .*F\.cents.*\.default\(x\)"
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match=told):
        driver.input_topic("in").pipe(None, key="k")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match="make the function handle"):
        driver.input_topic("in").pipe({"cents": "many"}, key="k")


def test_expressions_that_ask_about_nulls_take_a_null_value() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=dict)
    stream.map_values(F.cents.default(0)).to("with-default")
    stream.filter(F.value.is_not_null()).map_values(F.cents).to("without-nulls")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values([None, {"cents": 3}], key="k")
        assert (read(driver, "with-default"), read(driver, "without-nulls")) == ([0, 3], [3])


def test_record_of_several_that_a_function_makes_is_dropped_alone() -> None:
    app = App("app", processing_handler="continue")
    parts = app.stream("in", key=str, value=list[int]).flat_map_values(lambda value: value)
    parts.map_values(unless(2)).to("out", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values([[1, 2, 3], [2], [4]], key="k")
        assert read(driver, "out") == [1, 3, 4]
        assert driver.counters()["skipped_processing"] == 2


def test_update_of_one_window_that_fails_below_leaves_those_of_others() -> None:
    handler = Asked()
    app = App("app", processing_handler=handler)
    counts = (
        app.stream("in", key=str, value=int)
        .group_by_key()
        .windowed_by(hopping(timedelta(milliseconds=10), timedelta(milliseconds=5), grace=timedelta(0)))
        .count(store="n")
    )
    table = counts.to_stream()
    table.map(lambda key, value: (key.key, unless((5, 1))((key.start, value)))).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k", timestamp=7)
        assert read(driver, "out") == [[0, 1]]
        assert {key[1]: row[0] for key, row in driver.rows("n").items()} == {0: 1, 5: 1}, "what was done above stands"
    assert [failed.offset for failed in handler.failed] == [0]


class Doubling(Processor[str, int]):
    def process(self, record: Any) -> None:
        self.context.forward(record)
        self.context.forward(record.with_value(record.value * 10))


def test_processor_whose_record_failed_below_goes_on() -> None:
    app = App("app", processing_handler="continue")
    app.stream("in", key=str, value=int).process(Doubling).map_values(unless(1)).to("out", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k")
        assert read(driver, "out") == [10]


class Choosing(Processor[str, int]):
    def process(self, record: Any) -> None:
        self.context.forward(record, child="checked")
        self.context.forward(record, child="copied")


def test_processor_whose_record_failed_at_the_child_it_named_goes_on() -> None:
    app = App("app", processing_handler="continue")
    processed = app.stream("in", key=str, value=int).process(Choosing)
    processed.map_values(unless(1), name="checked").to("checked", value=int)
    processed.map_values(lambda value: value, name="copied").to("copied", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values([1, 2], key="k")
        assert (read(driver, "checked"), read(driver, "copied")) == ([2], [1, 2])


class Swallowing(Processor[str, int]):
    def process(self, record: Any) -> None:
        with suppress(LookupError):
            self.context.forward(record)


def test_failure_below_a_processor_is_not_its_to_catch() -> None:
    """The handler was asked, and said no."""
    app = App("app")
    app.stream("in", key=str, value=int).process(Swallowing).map_values(unless(1)).to("out", value=int)
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match="boom"):
        driver.input_topic("in").pipe(1, key="k")


class TwoClocks(Processor[str, int]):
    def init(self, context: Any) -> None:
        super().init(context)
        context.schedule(timedelta(seconds=1), "wall_clock_time", self.explode)
        context.schedule(timedelta(seconds=1), "wall_clock_time", self.tell)

    def explode(self, now: int) -> None:
        raise LookupError("boom")

    def tell(self, now: int) -> None:
        from streams import Record

        self.context.forward(Record("tick", now, now))


def test_punctuator_that_fails_leaves_the_others_their_turn() -> None:
    handler = Asked()
    app = App("app", processing_handler=handler)
    app.stream("in", key=str, value=int).process(TwoClocks).to("out", value=int)
    with TopologyTestDriver(app) as driver:
        driver.advance_wall_clock(timedelta(seconds=1))
        assert read(driver, "out") == [1000]
    [failed] = handler.failed
    assert (failed.message, failed.topic, failed.key) == (None, None, None)


def test_window_that_closes_and_fails_below_leaves_the_next_its_turn() -> None:
    """The record that moved the time is told as the one being processed."""
    handler = Asked()
    app = App("app", processing_handler=handler)
    (
        app.stream("in", key=str, value=int)
        .group_by_key()
        .windowed_by(tumbling(timedelta(milliseconds=10), grace=timedelta(0)), emit="close")
        .count(store="n")
        .to_stream()
        .map(lambda key, value: (key.key, unless("a")(key.key)))
        .to("out", value=str)
    )
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="a", timestamp=1)
        driver.input_topic("in").pipe(1, key="b", timestamp=2)
        driver.input_topic("in").pipe(1, key="c", timestamp=30)
        assert read(driver, "out") == ["b"]
    assert [failed.offset for failed in handler.failed] == [2]


def test_change_that_fails_at_the_commit_is_dropped_alone() -> None:
    handler = Asked()
    app = App("app", emit_updates="commit", processing_handler=handler)
    counts = app.stream("in", key=str, value=int).group_by_key().count(store="n")
    counts.to_stream().map(lambda key, value: (key, unless("a")(key))).to("out", value=str)
    with TopologyTestDriver(app, commit="manual") as driver:
        for key in ("a", "b", "a", "c"):
            driver.input_topic("in").pipe(1, key=key)
        driver.commit()
        assert read(driver, "out") == ["b", "c"]
        assert {key: row[0] for key, row in driver.rows("n").items()} == {"a": 2, "b": 1, "c": 1}
    assert [(failed.key, failed.offset) for failed in handler.failed] == [(b"a", 2)]


def test_key_that_does_not_decode_is_asked_about_as_such() -> None:
    """Wherever it is read first; ways that do not read it go on."""
    handler = Asked()
    app = App("app", deserialization_handler=handler)
    stream = app.stream("in", key=int, value=int)
    stream.map(lambda key, value: (key, value)).to("keyed", value=int)
    stream.to("copied", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in", key=bytes).pipe(1, key=b"abc")
        assert [record.value for record in driver.output_topic("copied", key=bytes).read_all()] == [1]
        assert "keyed" not in driver.produced_topics()
    [failed] = handler.failed
    assert failed.kind == "deserialization"
    assert isinstance(failed.error, SerdeError)
    assert (failed.error.part, failed.error.topic, failed.error.offset) == ("key", "in", 0)


def test_result_that_does_not_encode_is_the_production_handlers() -> None:
    """Source: KIP-399."""
    handler = Asked()
    app = App("app", production_handler=handler)
    stream = app.stream("in", key=str, value=Any)
    stream.to("numbers", value=int)
    stream.to("behind")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values([1, "no number"], key="k")
        assert (read(driver, "numbers"), read(driver, "behind")) == ([1], [1, "no number"])
        assert driver.counters()["skipped_serialization"] == 1
    [failed] = handler.failed
    assert failed.kind == "serialization"
    assert isinstance(failed.error, SerdeError)


def test_handler_that_raises_is_told_with_what_it_was_asked_about() -> None:
    def handler(failed: FailedRecord) -> str:
        raise KeyError("no such rule")

    app = App("app", processing_handler=handler)
    app.stream("in", key=str, value=int).map_values(unless(1)).to("out", value=int)
    with (
        TopologyTestDriver(app) as driver,
        pytest.raises(StreamsError, match=r"processing_handler itself failed: KeyError.*asked about.*boom"),
    ):
        driver.input_topic("in").pipe(1, key="k")


@pytest.mark.parametrize("answer", ["retry", "skip", None])
def test_handler_that_answers_something_else_is_told_what_to_answer(answer: Any) -> None:
    app = App("app", processing_handler=Asked(answer))
    app.stream("in", key=str, value=int).map_values(unless(1)).to("out", value=int)
    with TopologyTestDriver(app) as driver, pytest.raises(StreamsError, match="answer 'fail', 'continue' or"):
        driver.input_topic("in").pipe(1, key="k")
