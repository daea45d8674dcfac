"""Foreign-key joins of tables: an oracle after every change, partitions in any order, views, names and errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, F, TopologyError, tumbling
from streams.dsl.ktable import KTable
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.tables.many_tasks import Guarantee, ManyTasks

METHODS = {"inner": "join", "left": "left_join"}


class Order(msgspec.Struct):
    customer: str | None
    cents: int


class Bill(msgspec.Struct):
    name: str | None
    cents: int


def billed(order: Order, name: str | None) -> Bill:
    return Bill(name, order.cents)


Change = tuple[str, str, Any]
"""Topic, key and value."""
Row = tuple[str | None, int]

orders = st.tuples(
    st.just("orders"),
    st.sampled_from("abc"),
    st.none() | st.builds(Order, st.sampled_from(["x", "yy", None]), st.integers(0, 1)),
)
customers = st.tuples(st.just("customers"), st.sampled_from(["x", "yy"]), st.none() | st.sampled_from(["Ann", "Bob"]))
changes = st.lists(orders | customers, max_size=25)


def shop(
    kind: str, emit: Literal["all", "commit"] = "all", store: str | None = "bills"
) -> tuple[App, KTable[Any, Any]]:
    app = App("shop", emit_updates=emit)
    left, right = app.table("orders", key=str, value=Order), app.table("customers", key=str, value=str)
    return app, getattr(left, METHODS[kind])(right, billed, foreign_key=F.customer, store=store)


class Oracle:
    """The tables as they are, and the join made of them from scratch."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.tables: dict[str, dict[str, Any]] = {"orders": {}, "customers": {}}

    def change(self, topic: str, key: str, value: Any) -> None:
        self.tables[topic].pop(key, None)
        if value is not None:
            self.tables[topic][key] = value

    def rows(self) -> dict[str, Bill]:
        names = self.tables["customers"]
        return {
            key: Bill(names.get(order.customer), order.cents)
            for key, order in self.tables["orders"].items()
            if self.kind == "left" or order.customer in names
        }


def rows(driver: TopologyTestDriver, store: str = "bills") -> dict[str, Any]:
    return {key: value for key, (value, _) in driver.rows(store).items()}


# -- one partition ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
@pytest.mark.parametrize("kind", METHODS)
def test_foreign_key_join_follows_both_tables_in_the_order_of_keys(
    kind: str, stores: Literal["memory", "rocksdb"]
) -> None:
    app, table = shop(kind)
    table.to_stream().to("out")
    with TopologyTestDriver(app, stores=stores) as driver:
        out = driver.output_topic("out")

        def after(topic: str, key: str, value: Any, ts: int) -> list[tuple[str, Any, int]]:
            driver.input_topic(topic).pipe(value, key=key, timestamp=ts)
            return [(r.key, r.value and (r.value.name, r.value.cents), r.timestamp) for r in out.read_all()]

        alone = [] if kind == "inner" else [("b", (None, 5), 10)]
        assert after("orders", "b", Order("x", 5), 10) == alone
        after("orders", "a", Order("x", 3), 11)
        after("orders", "c", Order("xx", 3), 12)
        assert after("customers", "x", "Ann", 20) == [("a", ("Ann", 3), 20), ("b", ("Ann", 5), 20)]
        assert after("orders", "a", Order("x", 4), 15) == [("a", ("Ann", 4), 20)]  # the later of both times
        gone = ("a", None, 30) if kind == "inner" else ("a", (None, 4), 30)
        assert after("orders", "a", Order("y", 4), 30) == [gone]
        assert after("customers", "x", None, 31) == [("b", None if kind == "inner" else (None, 5), 31)]
        assert after("orders", "b", None, 32) == [("b", None, 32)]
        assert after("orders", "b", None, 33) == []


@examples(30)
@given(changes, st.sampled_from(list(METHODS)), st.data())
def test_foreign_key_join_equals_a_join_of_the_tables_after_every_change_and_crash(
    updates: list[Change], kind: str, data: st.DataObject
) -> None:
    app, table = shop(kind)
    table.group_by(lambda k, bill: (str(bill.name), bill.cents), key=str, value=int).count(store="by-name")
    oracle, commit = Oracle(kind), data.draw(st.sampled_from(["record", "manual"]))
    with TopologyTestDriver(app, commit=commit) as driver:
        for timestamp, (topic, key, value) in enumerate(updates):
            driver.input_topic(topic).pipe(value, key=key, timestamp=timestamp)
            oracle.change(topic, key, value)
            event = data.draw(st.sampled_from(["", "", "commit", "crash", "move"]))
            if event == "commit":
                driver.commit()
            elif event:
                driver.restart(lose_state=event == "move")
            assert rows(driver) == oracle.rows()
        names = [str(bill.name) for bill in oracle.rows().values()]
        assert {key: n for key, n in rows(driver, "by-name").items() if n} == {n: names.count(n) for n in names}
        subscribed = {(o.customer, key) for key, o in oracle.tables["orders"].items() if o.customer is not None}
        assert driver.rows("bills-subscription-store").keys() == subscribed


@examples(10)
@given(changes, st.sampled_from(list(METHODS)), st.data())
def test_foreign_key_join_in_rocksdb_that_emits_at_the_commit_ends_as_a_join_of_the_tables(
    updates: list[Change], kind: str, data: st.DataObject
) -> None:
    app, _ = shop(kind, "commit")
    oracle = Oracle(kind)
    with TopologyTestDriver(app, stores="rocksdb", commit="manual") as driver:
        for topic, key, value in updates:
            driver.input_topic(topic).pipe(value, key=key, timestamp=0)
            oracle.change(topic, key, value)
            event = data.draw(st.sampled_from(["", "commit", "crash"]))
            if event == "commit":
                driver.commit()
                assert rows(driver) == oracle.rows()
            elif event:
                driver.restart()
        driver.commit()
        assert rows(driver) == oracle.rows()


def test_stream_looks_into_a_foreign_key_join_nobody_named() -> None:
    app, table = shop("inner", store=None)
    app.stream("in", key=str, value=str).join(table, lambda v, bill: f"{v}:{bill.name}").to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("customers").pipe("Ann", key="x")
        driver.input_topic("orders").pipe(Order("x", 1), key="a")
        driver.input_topic("in").pipe("1", key="a")
        assert [record.value for record in driver.output_topic("out").read_all()] == ["1:Ann"]


def test_foreign_keys_join_in_a_chain_and_functions_get_the_key() -> None:
    app = App("shop")
    cities = app.table("cities", key=int, value=str)
    left = app.table("orders", key=str, value=Order)
    people = app.table("people", key=str, value=dict).filter(lambda k, v: v["city"] > 0)

    def placed(key: str, order: Order, person: dict[str, Any]) -> dict[str, Any]:
        return {"order": key, "city": person["city"]}

    def city_of(key: str, row: dict[str, Any]) -> int:
        return row["city"] if key != "hidden" else None  # type: ignore[return-value]

    first = left.join(people, placed, foreign_key=lambda order: order.customer)
    second = first.join(
        cities, lambda row, city: {**row, "city": city}, foreign_key=city_of, value=dict, store="placed"
    )
    second.to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("cities").pipe("Rome", key=1)
        driver.input_topic("people").pipe({"city": 1}, key="x")
        for key in ("a", "hidden"):
            driver.input_topic("orders").pipe(Order("x", 1), key=key)
        assert rows(driver, "placed") == {"a": {"order": "a", "city": "Rome"}}
        driver.input_topic("people").pipe({"city": 0}, key="x")  # no longer passes the filter
        assert rows(driver, "placed") == {}
        assert driver.counters()["dropped_null_key"] == 1


# -- many partitions --------------------------------------------------------------------------------------------------
def written(value: Any) -> bytes | None:
    return None if value is None else value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def found(bench: ManyTasks) -> dict[str, Any]:
    return {key.decode(): bill for task in bench.tasks for key, bill in task.rows("bills").items()}


@examples(50)
@given(changes, st.sampled_from(list(METHODS)), st.sampled_from(["exactly_once", "at_least_once"]), st.data())
def test_foreign_key_join_across_partitions_in_any_order_ends_as_a_join_of_the_tables(
    updates: list[Change], kind: str, guarantee: Guarantee, data: st.DataObject
) -> None:
    """Four partitions on the left, three on the right; answers overtake each other, tasks crash and move.

    With at least once nothing crashes here: a task that is undone, but not what it sent, may read its inputs in another
    order the next time, and then answers nobody asked for are not taken back.
    """
    app, _ = shop(kind)
    oracle = Oracle(kind)
    bench = ManyTasks(app, {"orders": 4, "customers": 3}, guarantee)
    events = ["", "", "", "commit", "commit", *(["crash", "move"] if guarantee == "exactly_once" else [])]
    steps = st.tuples(
        st.sampled_from(range(len(bench.tasks))), st.integers(1, 3), st.integers(0, 2), st.sampled_from(events)
    )
    for timestamp, (topic, key, value) in enumerate(updates):
        bench.pipe(topic, key.encode(), written(value), timestamp)
        oracle.change(topic, key, value)
        for task, most, which, event in data.draw(st.lists(steps, max_size=5)):
            bench.tasks[task].run(most, which)
            if event == "commit":
                bench.tasks[task].commit()
            elif event:
                bench.tasks[task].crash(keep_disk=event == "crash")
    bench.settle()
    assert found(bench) == oracle.rows()


OVERTAKEN: dict[str, list[Change]] = {
    "told that its row is gone, while it is deleted": [("orders", "a", Order(None, 1)), ("orders", "a", None)],
    "told that its row is gone, while it is there anew": [("orders", "a", None), ("orders", "a", Order("yy", 1))],
    "told that there is no other row, while it changes": [
        ("orders", "a", Order("yy", 1)),
        ("orders", "a", Order("yy", 2)),
    ],
    "told that the other row is gone, while it changes": [("customers", "x", None), ("orders", "a", Order("x", 2))],
}


@pytest.mark.parametrize("case", OVERTAKEN)
def test_inner_foreign_key_join_row_changed_before_it_was_answered_keeps_no_result_of_its_old_value(case: str) -> None:
    """Only the answer to the value in between takes the first result back, and it is stale when it comes."""
    app, _ = shop("inner")
    bench = ManyTasks(app, {"orders": 1, "customers": 1}, "at_least_once")
    bench.pipe("customers", b"x", b"Ann", 0)
    bench.pipe("orders", b"a", written(Order("x", 0)), 1)
    bench.settle()
    assert found(bench) == {"a": Bill("Ann", 0)}
    left, right = bench.tasks
    oracle = Oracle("inner")
    for timestamp, (topic, key, value) in enumerate(OVERTAKEN[case], 2):
        bench.pipe(topic, key.encode(), written(value), timestamp)
        oracle.change(topic, key, value)
        (right if topic == "customers" else left).run(1)  # and reads no answers
    bench.settle()
    assert found(bench) == {}


def test_foreign_key_join_whose_left_type_gained_a_field_goes_on_with_the_rows_it_has() -> None:
    """Their subscriptions carry hashes of values without the field, which no longer compare."""

    class Wider(Order):
        currency: str = "EUR"

    def app_of(kind: Any) -> App:
        app = App("shop")
        left, right = app.table("orders", key=str, value=kind), app.table("customers", key=str, value=str)
        for name, method in METHODS.items():
            joined = getattr(left, method)(right, billed, foreign_key=F.customer, name=name)
            joined.filter(lambda k, v: True, store=f"{name}-rows")
        return app

    partitions = {"orders": 1, "customers": 1}
    before = ManyTasks(app_of(Order), partitions, "at_least_once")
    before.pipe("customers", b"x", b"Ann", 0)
    before.pipe("orders", b"a", written(Order("x", 5)), 1)
    before.pipe("orders", b"b", written(Order(None, 6)), 2)
    before.settle()
    after = ManyTasks(app_of(Wider), partitions, "at_least_once", earlier=before)
    after.pipe("customers", b"x", b"Bob", 3)
    after.settle()
    rows = {name: {k: v for task in after.tasks for k, v in task.rows(f"{name}-rows").items()} for name in METHODS}
    assert rows["inner"] == {b"a": Bill("Bob", 5)}
    assert rows["left"] == {b"a": Bill("Bob", 5), b"b": Bill(None, 6)}
    after.pipe("customers", b"x", None, 4)
    after.settle()
    assert {k for task in after.tasks for k in task.rows("inner-rows")} == set()


def test_foreign_key_join_needs_no_equal_partition_counts_and_its_topics_have_those_of_their_readers() -> None:
    app, _ = shop("inner")
    fitted = app.plan().partitions({"orders": 4, "customers": 3})
    topics = {topic.name: topic.partitions for topic in fitted.internal_topics}
    assert topics == {
        "shop-bills-subscription-registration-topic": 3,
        "shop-bills-subscription-response-topic": 4,
        "shop-bills-subscription-store-changelog": 3,
        "shop-orders-table-changelog": 4,
        "shop-customers-table-changelog": 3,
        "shop-bills-changelog": 4,
    }


# -- names and mistakes -----------------------------------------------------------------------------------------------
def test_foreign_key_join_takes_its_name_for_topics_and_its_store_for_rows() -> None:
    app = App("shop")
    left, right = app.table("orders", key=str, value=Order), app.table("customers", key=str, value=str)
    left.join(right, billed, foreign_key=F.customer, name="billing", store="bills")
    left.join(right, billed, foreign_key=F.customer)
    plan = app.plan()
    topics = {sink.topic for sub in plan.subtopologies for sink in sub.repartition_sinks}
    assert topics == {
        f"shop-{name}-subscription-{way}-topic"
        for name in ("billing", "orders-table-foreign-key-join")
        for way in ("registration", "response")
    }
    assert {store.name for _, store in plan.stores()} == {
        *("orders-table", "customers-table", "bills", "billing-subscription-store"),
        "orders-table-foreign-key-join-subscription-store",
    }


def test_foreign_key_of_another_type_than_the_other_tables_keys_is_refused() -> None:
    app = App("shop")
    left, right = app.table("orders", key=str, value=Order), app.table("customers", key=str, value=str)
    left.join(right, billed, foreign_key=F.cents)
    left.left_join(right, billed, foreign_key=F.nobody)
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = " ".join(problem.message for problem in caught.value.problems)
    assert "join: foreign_key gives int, but the other table's keys are written as String" in messages
    assert "nobody" in messages


def test_foreign_key_join_of_windowed_tables_or_of_another_app_is_refused() -> None:
    app = App("shop")
    left = app.table("orders", key=str, value=Order)
    windows = app.stream("in", key=str).group_by_key().windowed_by(tumbling(timedelta(1), grace=timedelta(0)))
    other = App("other").table("customers", key=str, value=str)
    left.join(windows.count(), lambda order, n: n, foreign_key=F.customer)
    left.left_join(other, billed, foreign_key=F.customer)
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = " ".join(problem.message for problem in caught.value.problems)
    assert "join needs tables with one value per key" in messages
    assert "left_join needs a table of the same App" in messages
