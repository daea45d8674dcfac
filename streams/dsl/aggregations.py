"""What a group's `count`, `reduce` and `aggregate` fold records with: the user's functions, checked and typed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from streams.aggregates import Aggregate
from streams.dsl.builder import TopologyBuilder
from streams.dsl.named_aggregates import aggregate_columns, result_struct
from streams.dsl.schemas import value_after
from streams.errors import SourceLine
from streams.graph.function import UserFunction, user_function
from streams.graph.node import Node
from streams.graph.schema import Part, Schema
from streams.operators.aggregation import (
    Aggregation,
    CountAggregation,
    FoldAggregation,
    NamedAggregation,
    ReduceAggregation,
)
from streams.serde import Unknown, serde_for


class Group(Struct, frozen=True):
    """What both kinds of groups carry: the records' operator, their schema as the repartition topic would write it,
    and the name that topic would have."""

    builder: TopologyBuilder
    node: Node
    schema: Schema
    name: str | None


def counting() -> tuple[Aggregation, Part]:
    # The store and `to` write a count as Kafka Streams does, as a 64-bit integer.
    serde = serde_for(int, role="value")
    return CountAggregation(serde=serde), Part(int, serde)


def reducing(group: Group, reducer: Any, origin: SourceLine | None, *, windowed: bool) -> tuple[Aggregation, Part]:
    function = user_function(group.builder, "reduce", reducer, ("aggregate", "value"), origin=origin, expression=False)
    return ReduceAggregation(
        serde=group.schema.value_serde(), reducer=function, accepts_null=windowed
    ), group.schema.value


def folding(
    group: Group,
    initializer: Any,
    aggregator: Any,
    value: Any,
    named: dict[str, Aggregate],
    origin: SourceLine | None,
    *,
    windowed: bool,
    merger: Any = None,
) -> tuple[Aggregation, Part]:
    if named and initializer is None and aggregator is None:
        return _named(group, named, origin, windowed=windowed)
    if named:
        group.builder.problem("aggregate takes either functions or named aggregates, not both", origin)
    elif initializer is None or aggregator is None:
        group.builder.problem(
            "aggregate needs an initializer and an aggregator, or named aggregates such as flights=count()", origin
        )
    builder = group.builder
    init = user_function(
        builder, "aggregate", _nothing if initializer is None else initializer, (), origin=origin, expression=False
    )
    fold = user_function(
        builder,
        "aggregate",
        _same if aggregator is None else aggregator,
        ("key", "value", "aggregate"),
        origin=origin,
        expression=False,
    )
    part = _aggregate_part(group, init, fold, value, origin)
    serde = Schema(value=part).value_serde()
    merge = None
    if merger is not None:
        shapes = ("aggregate", "other"), ("key", "aggregate", "other")
        merge = user_function(builder, "aggregate", merger, *shapes, origin=origin, expression=False)
    return (
        FoldAggregation(serde=serde, initializer=init, aggregator=fold, merger=merge, accepts_null=windowed),
        part,
    )


def _nothing() -> None:
    """Stands for an initializer that is missing, which is a problem already."""


def _same(key: Any, value: Any, aggregate: Any) -> Any:
    return aggregate


def _aggregate_part(
    group: Group, init: UserFunction, fold: UserFunction, value: Any, origin: SourceLine | None
) -> Part:
    """The aggregate's type: as declared, else what the initializer gives, else what the aggregator gives."""
    part = value_after(group.builder, group.schema, init, value, origin)
    return part if part.type is not Unknown else value_after(group.builder, group.schema, fold, None, origin)


def _named(
    group: Group, named: dict[str, Aggregate], origin: SourceLine | None, *, windowed: bool
) -> tuple[Aggregation, Part]:
    columns = aggregate_columns(group.builder, group.schema, named, origin)
    result = result_struct(columns)
    return NamedAggregation(columns=columns, result_type=result, accepts_null=windowed), Part(result)
