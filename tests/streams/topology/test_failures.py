"""What a user's function that raises is told as: function, line, operator, key, topic, partition, offset."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from streams import App, Context, F, KStream, ProcessingError, SerdeError, count, sum_
from streams.testing import TopologyTestDriver


def explode(*arguments: Any) -> Any:
    raise LookupError("boom")


class Exploding:
    def __call__(self, key: str, value: int) -> Any:
        raise LookupError("boom")

    def method(self, value: int) -> Any:
        raise LookupError("boom")


def with_context(value: int, context: Context) -> Any:
    raise LookupError("boom")


def combine(one: int, other: int) -> Any:
    raise LookupError("boom")


def lazily(value: int) -> Iterable[int]:
    yield value
    raise LookupError("boom")


Build = Callable[[KStream[Any, Any]], Any]

# every place for a function has its case in tests/streams/operators/failing.py; here are the forms a function can have
CASES: dict[str, tuple[Build, str]] = {
    "filter": (lambda s: s.filter(Exploding()), "Exploding"),
    "map_values": (lambda s: s.map_values(with_context), "with_context"),
    "map_values of a method": (lambda s: s.map_values(Exploding().method), "Exploding.method"),
    "map_values of a partial": (lambda s: s.map_values(functools.partial(combine, 1)), "combine"),
    "map_values of a builtin": (lambda s: s.map_values(int), "int"),
    "flat_map_values": (lambda s: s.flat_map_values(lazily), "lazily"),
    "filter by an expression": (lambda s: s.filter(F.value["x"] > 1), r"F.x > 1"),
    "named aggregate of an expression": (
        lambda s: s.group_by_key().aggregate(n=count(), total=sum_(F.value["x"])),
        r"total=sum_(F.x)",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_exception_in_a_function_names_it_and_its_record(case: str) -> None:
    build, function = CASES[case]
    app = App("app")
    stream: KStream[Any, Any] = app.stream("in", key=int, value=Any)
    build(stream)
    declared = build.__code__.co_firstlineno
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError) as caught:
        driver.input_topic("in").pipe_values([{}, {}, ["no number"]], key=7)
    error = caught.value
    told = error.function or ""
    assert told.startswith(function), told
    if "builtin" not in case and "expression" not in case:
        assert f"(raised at {__file__}:" in told
        assert "LookupError: boom" in str(error)
    assert error.file == __file__
    assert error.line is not None
    assert declared <= error.line <= declared + 2
    assert (error.key, error.partition) == (7, 0)
    assert error.topic == "in" or (error.topic or "").endswith("-repartition")
    assert error.offset in (0, 1)
    for part in (error.node, f"{__file__}:{error.line}", "key 7", f"{error.topic}[0] at offset {error.offset}"):
        assert part in str(error)


def test_exception_in_a_timestamp_function_names_it() -> None:
    app = App("app")
    app.stream("in", key=str, value=dict, timestamp=explode).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match="explode"):
        driver.input_topic("in").pipe({}, key="k")


def test_key_that_is_none_of_its_type_is_shown_as_it_is() -> None:
    app = App("app")
    app.stream("in", key=int, value=int).map_values(explode).to("out")
    with TopologyTestDriver(app) as driver:
        for key, shown in ((b"abc", "abc"), (b"\xff", b"\xff"), (None, None)):
            with pytest.raises(ProcessingError) as caught:
                driver.input_topic("in", key=bytes).pipe(1, key=key)
            assert caught.value.key == shown


RESULTS: dict[str, tuple[Build, str]] = {
    "map": (lambda s: s.map(nothing_of_both), "map needs a function that returns a pair (key, value)"),
    "flat_map": (lambda s: s.flat_map(nothing_of_both), "returns an iterable of pairs (key, value)"),
    "flat_map_values": (lambda s: s.flat_map_values(nothing), "returns an iterable of values: an empty list"),
}


def nothing(value: Any) -> Any:
    return None


def nothing_of_both(key: Any, value: Any) -> Any:
    return None


@pytest.mark.parametrize("case", RESULTS)
def test_function_that_returns_nothing_is_named_with_what_it_has_to_return(case: str) -> None:
    build, cure = RESULTS[case]
    app = App("app")
    build(app.stream("in", key=int, value=Any))
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError) as caught:
        driver.input_topic("in").pipe({}, key=7)
    assert (caught.value.function or "").startswith("what nothing")
    assert cure in str(caught.value)


@pytest.mark.parametrize("time", ["2001-01-01", None, -1])
def test_time_that_is_none_is_told_with_what_it_has_to_be(time: Any) -> None:
    app = App("app")
    app.stream("in", key=int, value=Any, timestamp=lambda value: value["time"]).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError) as caught:
        driver.input_topic("in").pipe({"time": time}, key=7)
    assert "<lambda> gave" in (caught.value.function or "")
    assert "timestamp= has to give an int, in ms since the epoch" in str(caught.value)


def test_value_that_cannot_be_written_names_the_record_it_was_made_of() -> None:
    app = App("app")
    app.stream("in", key=int, value=Any).map_values(lambda value: "text", value=int).to("out")
    message = r"the value of a record made of in\[0\] at offset 0 cannot be written as .* \(operator in-sink\)"
    with TopologyTestDriver(app) as driver, pytest.raises(SerdeError, match=message):
        driver.input_topic("in").pipe({}, key=7)
