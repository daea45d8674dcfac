"""The test driver: inputs, outputs, stores, commits, crashes, failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, F, ProcessingError, QueryError, SerdeError, Windowed, collect, count, max_, sum_, tumbling
from streams.testing import TestRecord, TopologyTestDriver
from tests.streams.examples import examples

SECOND = timedelta(seconds=1)
StoreKind = Literal["memory", "rocksdb"]


class Order(msgspec.Struct):
    customer: str
    cents: int


def totals() -> App:
    """Totals by customer, behind a repartition, and counts by second."""
    app = App("app")
    orders = app.stream("orders", key=str, value=Order)
    orders.group_by(F.customer).aggregate(n=count(), total=sum_(F.cents), store="totals").to_stream().to("totals")
    (
        orders.group_by_key()
        .windowed_by(tumbling(SECOND, grace=SECOND))
        .aggregate(n=count(), store="by-second")
        .to_stream()
        .to("by-second")
    )
    return app


def test_input_topics_share_one_clock_and_advance_it() -> None:
    app = App("app")
    app.stream("a", key=str, value=int).merge(app.stream("b", key=str, value=int)).to("out")
    with TopologyTestDriver(app, start=100) as driver:
        a, b = driver.input_topic("a", advance=timedelta(milliseconds=5)), driver.input_topic("b")
        a.pipe_values([1, 2, 3], key="k")
        b.pipe(4)
        b.pipe(5, timestamp=50)
        b.advance_time(SECOND)
        b.pipe(6)
        a.pipe(7)
        out = driver.output_topic("out").read_all()
    assert [record.timestamp for record in out] == [100, 105, 110, 110, 50, 1050, 115]
    assert [record.key for record in out] == ["k", "k", "k", None, None, None, None]


def test_pipe_all_takes_tuples_records_and_dicts() -> None:
    app = App("app")
    app.stream("in", key=str, value=int).to("out")
    with TopologyTestDriver(app) as driver:
        topic = driver.input_topic("in")
        topic.pipe_all([("a", 1), ("b", 2, 7), TestRecord("c", 3, 9, [("h", b"x")])])
        topic.pipe_all({"d": 4})
        out = driver.output_topic("out")
        assert out.read_all() == [
            TestRecord("a", 1, 0),
            TestRecord("b", 2, 7),
            TestRecord("c", 3, 9, [("h", b"x")]),
            TestRecord("d", 4, 9),
        ]
        with pytest.raises(TypeError, match=r"a record is \(key, value\).*got 5"):
            topic.pipe_all([5])  # pyright: ignore
        with pytest.raises(LookupError, match="nothing more on topic 'out'"):
            out.read()


def test_read_table_keeps_the_last_value_of_each_key() -> None:
    app = App("app")
    app.stream("in", key=str, value=int).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_all([("a", 1), ("b", 2), ("a", 3), ("b", None), ("c", 4)])
        assert driver.output_topic("out").read_table() == {"a": 3, "c": 4}
        assert len(driver.output_topic("out")) == 0


def test_unknown_topic_or_store_names_those_there_are() -> None:
    with TopologyTestDriver(totals()) as driver:
        with pytest.raises(KeyError, match="reads no topic 'order'; it reads orders"):
            driver.input_topic("order")
        with pytest.raises(QueryError, match="no store 'total'; the topology has: by-second, totals"):
            driver.store("total")


def test_stores_has_a_view_of_each_store_by_name() -> None:
    """Global ones and those that nobody named included."""
    app = totals()
    app.global_table("rates", key=str, value=int)
    app.stream("clicks", key=str, value=int).group_by_key().count()
    with TopologyTestDriver(app) as driver:
        driver.input_topic("rates").pipe(3, key="eur")
        driver.input_topic("clicks").pipe(1, key="k")
        stores = driver.stores()
        assert list(stores) == ["by-second", "clicks-count", "rates-global-table", "totals"]
        assert (stores["rates-global-table"]["eur"], stores["clicks-count"]["k"]) == (3, 1)


def test_output_topic_is_read_with_the_types_of_its_own_sink() -> None:
    """A sink that chooses its topics says nothing about a topic that has a sink of its own."""
    app = App("app")
    stream = app.stream("in", key=str, value=int)
    stream.to("numbers")
    stream.map_values(lambda value: {"n": value}).to(lambda key, value: key, value=dict)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="elsewhere")
        assert driver.output_topic("numbers").read().value == 1
        assert driver.output_topic("elsewhere").read().value == {"n": 1}


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
def test_store_shows_keys_and_values_as_functions_see_them(stores: StoreKind) -> None:
    with TopologyTestDriver(totals(), stores=stores) as driver:
        driver.input_topic("orders").pipe_all(
            [("x", Order("ann", 5), 100), ("x", Order("bob", 7), 1500), ("y", Order("ann", 1), 1600)]
        )
        by_customer, by_second = driver.store("totals"), driver.store("by-second")
        assert (by_customer["ann"].n, by_customer["ann"].total) == (2, 6)
        assert by_customer.get("eve") is None
        assert "bob" in by_customer
        assert "eve" not in by_customer
        with pytest.raises(KeyError):
            by_customer["eve"]
        row = by_customer.record("ann")
        assert row is not None
        assert row.timestamp == 1600
        assert list(by_customer.all()) == ["ann", "bob"]
        assert list(by_customer.range("b", None)) == ["bob"]
        assert len(by_second) == 3
        window = Windowed("x", 1000, 2000)
        assert by_second[window].n == by_second.get("x", 1000).n == by_second.fetch("x", 500)[1000].n == 1
        assert {(key.key, key.start, key.end) for key in by_second.all()} == {
            ("x", 0, 1000),
            ("x", 1000, 2000),
            ("y", 1000, 2000),
        }
        by_customer.assert_rows("| key | n | total |\n| bob | 1 | 7 |\n| ann | 2 | 6 |")


def test_changelog_holds_what_was_committed() -> None:
    app = App("app")
    app.table("in", key=str, value=str, store="rows")
    with TopologyTestDriver(app, commit="manual") as driver:
        driver.input_topic("in").pipe_all([("a", "1", 5), ("a", "2", 6), ("b", "3", 7)])
        assert driver.changelog("rows") == []
        driver.commit()
        assert driver.changelog("rows") == [(b"a", b"2", 6), (b"b", b"3", 7)]
        driver.input_topic("in").pipe(None, key="a")
        driver.commit()
        assert driver.changelog("rows")[2:] == [(b"a", None, 0)]


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
@pytest.mark.parametrize("lose_state", [False, True])
def test_restart_takes_back_what_was_not_committed_and_does_it_again(stores: StoreKind, lose_state: bool) -> None:
    """A function that keeps something to itself sees the records since the commit twice; nobody else does."""
    seen: list[int] = []
    app = App("app")
    (
        app.stream("in", key=str, value=int)
        .peek(lambda key, value: seen.append(value))
        .group_by_key()
        .aggregate(all=collect(F.value), store="kept")
        .to_stream()
        .map_values(lambda value: len(value.all), value=int)
        .to("out")
    )
    with TopologyTestDriver(app, stores=stores, commit="manual") as driver:
        topic = driver.input_topic("in")
        topic.pipe_values([1, 2], key="k")
        driver.commit()
        topic.pipe_values([3, 4], key="k")
        driver.restart(lose_state=lose_state)
        topic.pipe(5, key="k")
        assert driver.store("kept")["k"].all == [1, 2, 3, 4, 5]
        assert driver.output_topic("out").read_values() == [1, 2, 3, 4, 5]
    assert seen == [1, 2, 3, 4, 3, 4, 5]


STEPS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 9), st.integers(0, 5000))
    | st.sampled_from(["commit", "restart", "lose"]),
    max_size=25,
)


@given(STEPS)
@examples(30)
def test_restarts_anywhere_change_no_result(steps: list[Any]) -> None:
    """Outputs, late records included, and stores are those of a run without commits and crashes."""

    def result(*, crashing: bool) -> tuple[Any, ...]:
        with TopologyTestDriver(totals(), commit="manual" if crashing else "record") as driver:
            for step in steps:
                if isinstance(step, tuple):
                    customer, cents, timestamp = step
                    driver.input_topic("orders").pipe(Order(customer, cents), key=customer, timestamp=timestamp)
                elif crashing:
                    driver.commit() if step == "commit" else driver.restart(lose_state=step == "lose")
            outputs = [driver.output_topic(name).read_all() for name in ("totals", "by-second")]
            stores = [list(driver.store(name).records()) for name in ("totals", "by-second")]
            return repr(outputs), repr(stores)

    assert result(crashing=True) == result(crashing=False)


def test_restart_keeps_the_operators_time() -> None:
    """A record for a window that was closed before the crash is late after it too."""
    with TopologyTestDriver(totals()) as driver:
        orders = driver.input_topic("orders")
        orders.pipe(Order("ann", 1), key="k", timestamp=10_000)
        for lose_state in (False, True):
            driver.restart(lose_state=lose_state)
            orders.pipe(Order("ann", 1), key="k", timestamp=5)
        assert driver.store("by-second").fetch("k").keys() == {10_000}
        assert driver.counters()["dropped_late"] == 2


def failing_app(**settings: Any) -> App:
    app = App("app", **settings)

    def push(key: str, value: int, pushed: list[int]) -> list[int]:
        pushed.append(value)
        if value < 0:
            raise RuntimeError("negative")
        return pushed

    stream = app.stream("in", key=str, value=int)
    stream.group_by_key().aggregate(list, push, value=list[int], store="pushed").to_stream().to("out")
    return app


@pytest.mark.parametrize("commit", ["record", "manual"])
def test_failure_throws_state_back_as_a_workers_does(commit: Literal["record", "manual"]) -> None:
    """What an aggregator had changed in place before it raised is gone; the records before it are not."""
    with TopologyTestDriver(failing_app(), commit=commit) as driver:
        topic = driver.input_topic("in")
        topic.pipe_values([1, 2], key="k")
        with pytest.raises(ProcessingError, match=r"push.*negative"):
            topic.pipe(-1, key="k")
        assert driver.store("pushed")["k"] == [1, 2]
        topic.pipe(3, key="k")
        assert driver.store("pushed")["k"] == [1, 2, 3]
        assert driver.output_topic("out").read_values()[-1] == [1, 2, 3]


@pytest.mark.parametrize("commit", ["record", "manual"])
def test_skipped_record_leaves_no_trace_in_an_aggregate_changed_in_place(commit: Literal["record", "manual"]) -> None:
    with TopologyTestDriver(failing_app(processing_handler="continue"), commit=commit) as driver:
        driver.input_topic("in").pipe_values([1, -1, 2, -2], key="k")
        assert driver.store("pushed")["k"] == [1, 2]
        assert driver.output_topic("out").read_values() == [[1], [1, 2]]
        assert driver.counters()["skipped_processing"] == 2


def test_skipped_record_leaves_no_trace_of_a_reducer() -> None:
    def extend(aggregate: list[int], value: list[int]) -> list[int]:
        aggregate += value
        return [sum(aggregate), 1 // value[0]]

    app = App("app", processing_handler="continue")
    app.stream("in", key=str, value=list[int]).group_by_key().reduce(extend, store="reduced")
    with TopologyTestDriver(app, commit="manual") as driver:
        driver.input_topic("in").pipe_values([[5], [0], [1]], key="k")
        assert driver.store("reduced")["k"] == [6, 1]


def test_undecodable_record_is_skipped_where_the_handler_says_so() -> None:
    app = App("app", deserialization_handler="continue")
    app.stream("in", key=str, value=Order).map_values(F.cents, value=int).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in", value=bytes).pipe_values([b"{", b'{"customer":"ann","cents":3}'])
        assert driver.output_topic("out").read_values() == [3]
        assert driver.counters()["skipped_deserialization"] == 1


def test_failed_record_in_another_subtopology_names_the_internal_topic() -> None:
    app = App("app")
    (
        app.stream("in", key=str, value=Order)
        .group_by(F.customer)
        .aggregate(worst=max_(F.cents), store="worst")
        .to_stream()
        .map_values(lambda value: 1 // value.worst, value=int)
        .to("out")
    )
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(Order("bob", 1))
        with pytest.raises(ProcessingError) as caught:
            driver.input_topic("in").pipe(Order("ann", 0))
    error = caught.value
    assert (error.topic, error.partition, error.offset, error.key) == ("app-worst-repartition", 0, 1, "ann")
    assert error.file == __file__


def test_record_of_another_type_is_refused_where_it_is_piped() -> None:
    message = "the value of a record for orders cannot be written as int"
    with TopologyTestDriver(totals()) as driver, pytest.raises(SerdeError, match=message):
        driver.input_topic("orders", value=int).pipe("text")
