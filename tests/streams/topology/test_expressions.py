"""An expression on `F` fits wherever a function of a record does, and does the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams import (
    App,
    F,
    KStream,
    TopologyError,
    collect,
    count,
    distinct,
    first,
    last,
    max_,
    mean,
    min_,
    quantile,
    stddev,
    sum_,
    top_k,
    tumbling,
)
from streams.testing import TopologyTestDriver


class Order(msgspec.Struct):
    user: str
    cents: int
    at: int
    parts: list[str] = []


ORDERS = [Order("ann", 5, 10, ["a", "b"]), Order("bob", 50, 20), Order("ann", 7, 30, ["c"])]
Build = Callable[[KStream[Any, Any]], Any]

CASES: dict[str, tuple[Build, Build]] = {
    "filter": (lambda s: s.filter(F.cents > 6), lambda s: s.filter(lambda k, v: v.cents > 6)),
    "filter_not": (lambda s: s.filter_not(F.user == "ann"), lambda s: s.filter_not(lambda k, v: v.user == "ann")),
    "map": (
        lambda s: s.map((F.user, F.cents * 2)),
        lambda s: s.map(lambda k, v: (v.user, v.cents * 2), key=str, value=int),
    ),
    "map_values": (lambda s: s.map_values(F.cents + 1), lambda s: s.map_values(lambda v: v.cents + 1, value=int)),
    "map_values to a dict": (
        lambda s: s.map_values({"who": F.user, "key": F.key, "at": F.timestamp, "unit": "EUR"}),
        lambda s: s.map_values(lambda k, v: {"who": v.user, "key": k, "at": v.at, "unit": "EUR"}, value=dict),
    ),
    "flat_map_values": (
        lambda s: s.flat_map_values(F.parts),
        lambda s: s.flat_map_values(lambda v: v.parts, value=str),
    ),
    "flat_map": (
        lambda s: s.flat_map(((F.user, F.cents), (F.key, F.at)), key=str, value=int),
        lambda s: s.flat_map(lambda k, v: [(v.user, v.cents), (k, v.at)], key=str, value=int),
    ),
    "select_key": (lambda s: s.select_key(F.user), lambda s: s.select_key(lambda k, v: v.user, key=str)),
    "split": (
        lambda s: s.split().branch(F.cents < 6, name="a").default_branch(name="b")["b"],
        lambda s: s.split().branch(lambda k, v: v.cents < 6, name="a").default_branch(name="b")["b"],
    ),
    "group_by": (
        lambda s: s.group_by(F.user).count().to_stream(),
        lambda s: s.group_by(lambda k, v: v.user, key=str).count().to_stream(),
    ),
    "aggregate": (
        lambda s: (
            s.group_by_key().aggregate(n=count(F.parts), least=min_(F.cents), mean=mean(F.cents * 1.0)).to_stream()
        ),
        lambda s: (
            s.group_by_key()
            .aggregate(n=count(lambda v: v.parts), least=min_(lambda v: v.cents), mean=mean(lambda v: v.cents * 1.0))
            .to_stream()
        ),
    ),
}


def run(build: Build, timestamp: Any) -> list[Any]:
    app = App("app")
    build(app.stream("in", key=str, value=Order, timestamp=timestamp)).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values(ORDERS, key="k")
        return [(r.key, msgspec.to_builtins(r.value), r.timestamp) for r in driver.output_topic("out").read_all()]


@pytest.mark.parametrize("case", CASES)
def test_expression_does_what_the_function_does(case: str) -> None:
    with_expression, with_function = CASES[case]
    result = run(with_expression, F.at)
    assert result == run(with_function, lambda value: value.at)
    assert result


def test_expression_chooses_the_topic() -> None:
    app = App("app")
    app.stream("in", key=str, value=Order).to("orders-" + F.user)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values(ORDERS)
        assert len(driver.output_topic("orders-ann")) == 2
        assert len(driver.output_topic("orders-bob")) == 1


def test_every_named_aggregate_takes_an_expression() -> None:
    app = App("app")
    (
        app.stream("in", key=str, value=Order, timestamp=F.at)
        .group_by_key()
        .windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0)))
        .aggregate(
            count=count(F.cents),
            sum=sum_(F.cents),
            mean=mean(F.cents),
            min=min_(F.cents),
            max=max_(F.cents),
            first=first(F.user),
            last=last(F.user.upper()),
            collect=collect(F.cents.between(6, 100).then(F.cents, None)),
            distinct=distinct(F.user),
            top=top_k(F.cents, k=2),
            spread=stddev(F.cents, ddof=0),
            median=quantile(F.cents, 0.5),
        )
        .to_stream()
        .to("out")
    )
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_values(ORDERS, key="k")
        result = msgspec.to_builtins(driver.output_topic("out").read_all()[-1].value)
    assert result.pop("spread") == pytest.approx(20.7579, rel=1e-4)
    assert result.pop("median") == pytest.approx(7, rel=0.01)
    assert result.pop("mean") == pytest.approx(62 / 3)
    assert result == {
        "count": 3,
        "sum": 62,
        "min": 5,
        "max": 50,
        "first": "ann",
        "last": "ANN",
        "collect": [50, 7],
        "distinct": ["ann", "bob"],
        "top": [50, 7],
    }


def test_expression_where_there_is_no_record_is_told_with_the_line() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=Order)
    table: Any = app.table("table", key=str, value=Order)
    stream.join(table, F.user)  # pyright: ignore
    stream.group_by_key().reduce(F.user)  # pyright: ignore
    stream.peek(F.user)  # pyright: ignore
    stream.map_values({"user": F.usr})
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = [problem.message for problem in caught.value.problems]
    assert messages[:3] == [
        "join needs a function of (left, right), not the expression F.user",
        "reduce needs a function of (aggregate, value), not the expression F.user",
        "peek needs a function of (key, value), not the expression F.user",
    ]
    assert "Order has no field 'usr'; did you mean 'user'?" in messages[3]
    lines = {problem.origin.line for problem in caught.value.problems if problem.origin}
    assert len(lines) == 4
