"""What a changed topology may do with the state of the one before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams import (
    App,
    F,
    KStream,
    Materialized,
    MessagePack,
    Processor,
    Stores,
    TopologyError,
    count,
    max_,
    min_,
    sum_,
    tumbling,
)
from streams.runtime.topology_record import FILE, check_topology
from tests.stores.custom_stores import Board


class Order(msgspec.Struct):
    customer: str
    cents: int


class WiderOrder(msgspec.Struct):
    customer: str
    cents: int
    currency: str = "EUR"


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Declare = Callable[[KStream[Any, Any]], Any]


def app_of(declare: Declare, value: Any = Order) -> App:
    app = App("shop")
    declare(app.stream("orders", key=str, value=value))
    return app


def windowed(size: timedelta) -> Declare:
    return lambda s: s.group_by_key().windowed_by(tumbling(size, grace=MINUTE)).count(store="kept")


def named(**aggregates: Any) -> Declare:
    return lambda s: s.group_by_key().aggregate(store="kept", **aggregates)


def processing(store: Any) -> Declare:
    return lambda s: s.process(Processor, stores=[store])


def referring(right: Callable[[Any], Any]) -> Declare:
    """Orders that refer to what `right` makes of orders by customer."""

    def declare(stream: KStream[Any, Any]) -> Any:
        table = stream.to_table(store="orders")
        return table.join(right(stream.group_by(F.customer)), lambda a, b: a, foreign_key=F.customer, name="fk")

    return declare


COMPATIBLE: dict[str, tuple[App, App]] = {
    "nothing": (app_of(named(n=count())), app_of(named(n=count()))),
    "another function": (
        app_of(lambda s: s.filter(F.cents > 1).group_by_key().count(store="kept")),
        app_of(lambda s: s.filter(F.cents > 2).group_by_key().count(store="kept")),
    ),
    "a store more": (
        app_of(lambda s: s.group_by_key().count(store="kept")),
        app_of(lambda s: (s.group_by(F.customer).count(store="new"), s.group_by_key().count(store="kept"))),
    ),
    "a store less": (
        app_of(lambda s: (s.group_by_key().count(store="kept"), s.to_table(store="rows"))),
        app_of(lambda s: s.group_by_key().count(store="kept")),
    ),
    "another way to keep the same rows": (
        app_of(lambda s: s.group_by_key().count(store="kept")),
        app_of(lambda s: s.group_by_key().count(store=Materialized("kept", ttl=HOUR, caching=True))),
    ),
    "rows with timestamps": (
        app_of(processing(Stores.key_value("kept"))),
        app_of(processing(Stores.timestamped_key_value("kept", persistent=False))),
    ),
    "a field more": (
        app_of(lambda s: s.to_table(store="kept")),
        app_of(lambda s: s.to_table(store="kept"), WiderOrder),
    ),
    "a field more of what refers": (
        app_of(referring(lambda g: g.count(store="right"))),
        app_of(referring(lambda g: g.count(store="right")), WiderOrder),
    ),
}

INCOMPATIBLE: dict[str, tuple[App, App, str]] = {
    "kind": (
        app_of(lambda s: s.group_by_key().count(store="kept")),
        app_of(windowed(MINUTE)),
        "it was a key_value store and is a window store",
    ),
    "window size": (app_of(windowed(MINUTE)), app_of(windowed(HOUR)), "its windows had 60000 ms and have 3600000 ms"),
    "key": (
        app_of(lambda s: s.group_by(F.customer).count(store="kept")),
        app_of(lambda s: s.group_by(F.cents).count(store="kept")),
        "its keys were written as string and are long",
    ),
    "value": (
        app_of(lambda s: s.to_table(store="kept")),
        app_of(lambda s: s.to_table(store="kept"), MessagePack(Order)),
        "its values were written as json and are messagepack",
    ),
    "order of aggregates": (
        app_of(named(least=min_(F.cents), most=max_(F.cents))),
        app_of(named(most=max_(F.cents), least=min_(F.cents))),
        r"\(least=min_, most=max_\) and are \(most=max_, least=min_\)",
    ),
    "kind of a processor's store": (
        app_of(processing(Stores.key_value("kept"))),
        app_of(processing(Stores.session("kept", retention=HOUR))),
        "it was a key_value store and is a session store",
    ),
    "to a custom store": (
        app_of(processing(Stores.key_value("kept"))),
        app_of(processing(Stores.custom("kept", Board))),
        "it was a key_value store and is a custom store",
    ),
    "values of a processor's store": (
        app_of(processing(Stores.key_value("kept", value=int))),
        app_of(processing(Stores.key_value("kept", value=str))),
        "its values were written as long and are string",
    ),
    "aggregates": (app_of(named(n=count())), app_of(named(n=sum_(F.cents))), r"\(n=count\) and are \(n=sum_\)"),
    "repartition": (
        app_of(lambda s: s.group_by(F.customer, name="by").count(store="one")),
        app_of(lambda s: s.group_by(F.customer, name="by").count(store="one"), MessagePack(Order)),
        "'shop-by-repartition' may hold records.*values were written as json and are messagepack",
    ),
    "what is referred to": (
        app_of(referring(lambda g: g.count(store="right"))),
        app_of(referring(lambda g: g.aggregate(n=count(), store="other"))),
        "'shop-fk-subscription-response-topic' may hold records.*written as response long and are response json",
    ),
}


@pytest.mark.parametrize("case", COMPATIBLE)
def test_compatible_change_is_accepted_and_remembered(case: str, tmp_path: Path) -> None:
    before, after = COMPATIBLE[case]
    for app in (before, after, before, after):
        check_topology(tmp_path, app.plan())


@pytest.mark.parametrize("case", INCOMPATIBLE)
def test_incompatible_change_is_refused_with_its_line_and_a_cure(case: str, tmp_path: Path) -> None:
    before, after, message = INCOMPATIBLE[case]
    check_topology(tmp_path, before.plan())
    written = (tmp_path / FILE).read_bytes()
    for _ in range(2):
        with pytest.raises(TopologyError, match=message) as caught:
            check_topology(tmp_path, after.plan())
        problems = caught.value.problems
        assert all(problem.origin and problem.origin.file == __file__ for problem in problems)
        assert all("headrace reset" in problem.message for problem in problems)
    assert (tmp_path / FILE).read_bytes() == written
    check_topology(tmp_path, before.plan())


def test_store_that_is_logged_from_now_on_would_have_half_a_changelog(tmp_path: Path) -> None:
    def app(*, logged: bool) -> App:
        return app_of(lambda s: s.group_by_key().count(store=Materialized("kept", logged=logged)))

    check_topology(tmp_path, app(logged=False).plan())
    with pytest.raises(TopologyError, match=r"was not logged and is.*delete the folder shop in the state directory"):
        check_topology(tmp_path, app(logged=True).plan())
    (tmp_path / FILE).unlink()
    for logged in (True, False):
        check_topology(tmp_path, app(logged=logged).plan())


def test_store_that_a_topic_fills_now_is_not_mixed_with_what_operators_put(tmp_path: Path) -> None:
    """Its position would be taken for an offset of another topic."""

    def app(*, read_only: bool) -> App:
        made = App("shop")
        if read_only:
            made.add_read_only_store("kept", "rates", key=str, value=Order)
        else:
            made.table("rates", key=str, value=Order, store="kept")
        made.stream("orders", key=str, value=Order).process(Processor, stores=["kept"])
        return made

    for before, message in (
        (False, "restored from a changelog of its own and is from topic 'rates'.*delete the topic"),
        (True, "restored from topic 'rates' and is from a changelog of its own.*delete the folder"),
    ):
        directory = tmp_path / str(before)
        check_topology(directory, app(read_only=before).plan())
        with pytest.raises(TopologyError, match=message):
            check_topology(directory, app(read_only=not before).plan())


def test_store_that_comes_back_is_compared_with_its_old_rows(tmp_path: Path) -> None:
    counting = app_of(lambda s: s.group_by_key().count(store="kept"))
    check_topology(tmp_path, counting.plan())
    check_topology(tmp_path, app_of(lambda s: s.to("out")).plan())
    with pytest.raises(TopologyError, match="store 'kept' has rows of an earlier version"):
        check_topology(tmp_path, app_of(windowed(MINUTE)).plan())
    check_topology(tmp_path, counting.plan())


def test_damaged_record_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"{")
    app = app_of(named(n=count()))
    check_topology(tmp_path, app.plan())
    assert b'"(n=count)"' in (tmp_path / FILE).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
