"""Tables, and joins with them."""

from __future__ import annotations

from typing import Any

from streams import (
    Json,
    KTable,
    Materialized,
    tumbling,
    until_time_limit,
    until_window_closes,
)
from streams.operators.foreign_table_join import ForeignTableJoin
from streams.operators.global_table import GlobalTable
from streams.operators.global_table_join import GlobalTableJoin
from streams.operators.materialize import Materialize
from streams.operators.response_join import ResponseJoin
from streams.operators.response_topic import ResponseTopic
from streams.operators.stream_table_join import StreamTableJoin
from streams.operators.subscription_join import SubscriptionJoin
from streams.operators.subscription_send import SubscriptionSend
from streams.operators.suppress import Suppress
from streams.operators.table_aggregate import AggregateTable
from streams.operators.table_filter import TableFilter
from streams.operators.table_group import TableGroup
from streams.operators.table_join import TableJoin, TableJoinSide
from streams.operators.table_map_values import TableMapValues
from streams.operators.to_stream import ToStream
from streams.operators.waiting_stream_table_join import WaitingStreamTableJoin
from tests.streams.operators.case import IN_PLACE, MS, Case, Out, Parts


def table(parts: Parts) -> KTable[str, Any]:
    return parts.stream.to_table(store="table")


def other_table(parts: Parts) -> KTable[str, Any]:
    return parts.other().to_table(store="other-table")


def pair(left: Any, right: Any) -> list[Any]:
    return [left, right]


def regrouped(parts: Parts) -> Any:
    """Keys by the parity of their values."""
    return table(parts).group_by(lambda k, v: ("odd" if v % 2 else "even", v), key=str, value=Json())


def regrouped_lists(parts: Parts) -> Any:
    rows = table(parts).map_values(lambda v: [v], value=Json())
    return rows.group_by(lambda k, v: ("odd" if v[0] % 2 else "even", v), key=str, value=Json(), name="parity")


def subtract_in_place(aggregate: list[Any], value: list[Any]) -> list[Any]:
    for each in value:
        if each in aggregate:
            aggregate.remove(each)
    return aggregate


def subtract_anew(aggregate: list[Any], value: list[Any]) -> list[Any]:
    return subtract_in_place(list(aggregate), value)


def table_reduce_twice(parts: Parts) -> Out:
    group = regrouped_lists(parts)
    subtract = subtract_in_place if parts.folds is IN_PLACE else subtract_anew
    group.reduce(parts.folds.join, subtract, store="other-rows")
    return group.reduce(parts.folds.join, subtract, store="rows")


def with_global_table(parts: Parts, *, left: bool = False) -> Out:
    rows = parts.app.global_table("global", key=str, value=Json(), store="everywhere")
    join = parts.stream.left_join if left else parts.stream.join
    return join(rows, pair, on=lambda k, v: k, value=Json())


CASES: tuple[Case, ...] = (
    Case(name="table", operators=(Materialize, ToStream), attach=table),
    Case(
        name="table filter",
        operators=(TableFilter,),
        attach=lambda p: table(p).filter(lambda k, v: v > 4, store="filtered"),
    ),
    Case(
        name="table map_values",
        operators=(TableMapValues,),
        attach=lambda p: table(p).map_values(lambda v: v * 2, store="mapped"),
    ),
    Case(
        name="table aggregate",
        operators=(TableGroup, AggregateTable),
        attach=lambda p: regrouped(p).aggregate(list, p.folds.append, p.folds.remove, value=Json(), store="rows"),
        folds=True,
    ),
    Case(
        name="table reduce",
        operators=(),
        attach=table_reduce_twice,
        folds=True,
    ),
    Case(name="table count", operators=(), attach=lambda p: regrouped(p).count(store="rows")),
    Case(
        name="stream-table join",
        operators=(StreamTableJoin,),
        attach=lambda p: p.stream.left_join(other_table(p), pair, value=Json()),
    ),
    Case(
        name="stream joined with an aggregate",
        operators=(),
        attach=lambda p: p.stream.join(
            p.other().group_by_key().aggregate(list, p.folds.append, value=Json(), store="rows"), pair, value=Json()
        ),
        folds=True,
    ),
    Case(
        name="table-table join",
        operators=(TableJoin, TableJoinSide),
        attach=lambda p: table(p).outer_join(other_table(p), pair, value=Json(), store="joined"),
    ),
    Case(
        name="join that waits for a versioned table",
        operators=(WaitingStreamTableJoin,),
        attach=lambda p: p.stream.left_join(
            p.other().to_table(store=Materialized("versions", history_retention=50 * MS)),
            pair,
            grace=10 * MS,
            value=Json(),
        ),
        hold_back_ms=10,
    ),
    Case(
        name="foreign-key join",
        operators=(SubscriptionSend, SubscriptionJoin, ForeignTableJoin, ResponseTopic, ResponseJoin),
        attach=lambda p: table(p).left_join(
            other_table(p), pair, foreign_key=lambda v: "abc"[v % 3], value=Json(), store="joined"
        ),
    ),
    Case(
        name="suppress until a time limit",
        operators=(Suppress,),
        attach=lambda p: table(p).suppress(until_time_limit(10 * MS)),
        hold_back_ms=10,
        keys_only=True,
    ),
    Case(
        name="suppress until windows close",
        operators=(Suppress,),
        attach=lambda p: (
            p.stream.group_by_key()
            .windowed_by(tumbling(10 * MS, grace=5 * MS))
            .aggregate(list, p.folds.append, value=Json(), store="rows")
            .suppress(until_window_closes())
        ),
        hold_back_ms=15,
        folds=True,
    ),
    Case(name="global join", operators=(GlobalTable, GlobalTableJoin), attach=with_global_table),
)
