"""Each stateless operator, functions in all their forms, and what errors say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams import App, Context, F, ProcessingError, SerdeError, hopping, sum_
from streams.testing import TopologyTestDriver


class Click(msgspec.Struct):
    user: str
    ms: int


def run(
    app: App, *values: Any, key: str | None = "k", timestamp: int = 5, out: str = "out"
) -> list[tuple[Any, Any, int]]:
    with TopologyTestDriver(app) as driver:
        for value in values:
            driver.input_topic("in").pipe(value, key=key, timestamp=timestamp)
        return [(r.key, r.value, r.timestamp) for r in driver.output_topic(out).read_all()]


def test_filter_with_expression_keeps_what_holds() -> None:
    app = App("app")
    app.stream("in", key=str, value=Click).filter((F.ms > 10) & (F.key == "k")).to("out")
    assert run(app, Click("u", 10), Click("u", 11)) == [("k", Click("u", 11), 5)]


def test_map_values_function_may_take_key_and_context() -> None:
    """One argument is the value, two are key and value, and an annotated last one is the context."""

    def with_context(value: Click, context: Context) -> str:
        return f"{context.topic}/{context.partition}/{context.offset}/{context.timestamp}"

    app = App("app")
    stream = app.stream("in", key=str, value=Click)
    stream.map_values(lambda v: f"{v.ms}").merge(stream.map_values(lambda k, v: f"{k}{v.ms}")).to("out")
    stream.map_values(with_context).to("places")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(Click("u", 1), key="k", timestamp=5)
        assert [r.value for r in driver.output_topic("out", value=str).read_all()] == ["1", "k1"]
        assert driver.output_topic("places").read().value == "in/0/0/5"


def test_merge_of_a_declared_and_an_inferred_type_keeps_it() -> None:
    """Behind a repartition records are what they were, not dicts; of different types nothing is known."""

    def later(click: Click) -> Click:
        return Click(click.user, click.ms + 1)

    app = App("app")
    clicks = app.stream("in", key=str, value=Click)
    both = clicks.map_values(lambda v: v, value=Click).merge(clicks.map_values(later))
    both.repartition(name="both").map_values(lambda v: v.ms, value=int).to("out")
    clicks.merge(app.stream("other", key=str, value=dict)).to("mixed")  # pyright: ignore[reportArgumentType]
    assert [value for _, value, _ in run(app, Click("u", 1))] == [1, 2]
    assert run(app, Click("u", 1), out="mixed") == [("k", {"user": "u", "ms": 1}, 5)]


def test_flat_map_emits_every_pair_under_its_key() -> None:
    app = App("app")
    app.stream("in", key=str, value=str).flat_map(
        lambda k, v: [(word, len(word)) for word in v.split()], key=str, value=int
    ).to("out")
    assert run(app, "a bcd") == [("a", 1, 5), ("bcd", 3, 5)]


def test_split_first_match_takes_the_record() -> None:
    app = App("app")
    branches = (
        app.stream("in", key=str, value=int)
        .split()
        .branch(lambda k, v: v > 10, name="big")
        .branch(lambda k, v: v > 5)
        .default_branch()
    )
    assert list(branches) == ["big", "2", "0"]
    for name, stream in branches.items():
        stream.to(f"out-{name}")
    with TopologyTestDriver(app) as driver:
        for value in (11, 6, 1):
            driver.input_topic("in").pipe(value, key="k")
        assert [[r.value for r in driver.output_topic(f"out-{n}").read_all()] for n in branches] == [[11], [6], [1]]


def test_sink_topic_chosen_per_record() -> None:
    app = App("app")
    app.stream("in", key=str, value=int).to(lambda k, v: "even" if v % 2 == 0 else "odd")
    with TopologyTestDriver(app) as driver:
        for value in (1, 2, 3):
            driver.input_topic("in").pipe(value, key="k")
        assert [r.value for r in driver.output_topic("odd").read_all()] == [1, 3]
        assert sorted(driver.produced_topics()) == ["even", "odd"]


def test_headers_and_null_values_pass_through() -> None:
    app = App("app")
    app.stream("in", key=str, value=int).filter(lambda k, v: True).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(None, key="k", headers=[("trace", b"1")])
        record = driver.output_topic("out").read()
        assert (record.key, record.value, record.headers) == ("k", None, [("trace", b"1")])


def test_peek_and_foreach_see_every_record() -> None:
    seen: list[Any] = []
    app = App("app")
    stream = app.stream("in", key=str, value=int).peek(lambda k, v: seen.append((k, v)))
    stream.foreach(lambda k, v: seen.append(v))
    assert run(app, 1, 2) == []
    assert seen == [("k", 1), 1, ("k", 2), 2]


def test_left_join_passes_none_for_a_missing_row_and_a_null_key() -> None:
    app = App("app")
    table = app.table("table", key=str, value=int)
    app.stream("in", key=str, value=int).left_join(table, lambda v, t: f"{v}-{t}").to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k")
        driver.input_topic("in").pipe(1, key=None)
        driver.input_topic("table").pipe(7, key="k")
        driver.input_topic("in").pipe(2, key="k")
        driver.input_topic("table").pipe(None, key="k")
        driver.input_topic("in").pipe(3, key="k")
        assert [r.value for r in driver.output_topic("out").read_all()] == ["1-None", "1-None", "2-7", "3-None"]


def test_hopping_window_updates_every_window_of_a_record_oldest_first() -> None:
    app = App("app")
    (
        app.stream("in", key=str, value=Click)
        .group_by_key()
        .windowed_by(hopping(timedelta(milliseconds=10), timedelta(milliseconds=5), grace=timedelta(0)))
        .aggregate(total=sum_(F.ms))
        .to_stream()
        .map(lambda k, v: (k.start, v.total), key=int, value=int)
        .to("out")
    )
    assert run(app, Click("u", 3), timestamp=7) == [(0, 3, 7), (5, 3, 7)]


def test_user_function_that_raises_is_named_with_its_record() -> None:
    """The error names operator, declaration line, key, topic, partition and offset; the cause is kept."""

    def explode(value: int) -> int:
        return 1 // value

    app = App("app")
    app.stream("in", key=str, value=int).map_values(explode).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="fine")
        with pytest.raises(ProcessingError) as caught:
            driver.input_topic("in").pipe(0, key="boom")
    error = caught.value
    assert (error.topic, error.partition, error.offset, error.key) == ("in", 0, 1, "boom")
    assert error.file == __file__
    assert "explode" in str(error)
    assert isinstance(error.__cause__, ZeroDivisionError)


def test_undecodable_record_is_named_with_the_expected_type() -> None:
    app = App("app")
    app.stream("in", key=str, value=Click).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(SerdeError, match=r"in\[0\] at offset 0 is no valid Click"):
        driver.input_topic("in", value=bytes).pipe(b"{broken", key="k")


def test_record_without_timestamp_is_refused_with_the_cure() -> None:
    app = App("app")
    app.stream("in", key=str, value=int).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match="no usable timestamp"):
        driver.input_topic("in").pipe(1, key="k", timestamp=-1)


def test_unserializable_key_is_named() -> None:
    """A key whose type nobody declared must be a string; anything else says where it came from."""

    def by_number(key: str, value: Any) -> Any:
        return value if value else key

    app = App("app")
    app.stream("in", key=str, value=int).select_key(by_number).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(SerdeError, match="str key"):
        driver.input_topic("in").pipe(1, key="k")
