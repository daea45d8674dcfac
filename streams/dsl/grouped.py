"""`GroupedStream` and `WindowedStream`: records brought together by key, ready to be aggregated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from stores import KeyValueSpec, WindowSpec
from streams.aggregates import Aggregate
from streams.dsl.builder import TopologyBuilder
from streams.dsl.ktable import KTable
from streams.dsl.named_aggregates import aggregate_columns, result_struct
from streams.dsl.schemas import value_after
from streams.errors import SourceLine
from streams.graph.function import UserFunction, user_function
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.aggregate import AggregateByKey
from streams.operators.aggregation import (
    Aggregation,
    CountAggregation,
    FoldAggregation,
    NamedAggregation,
    ReduceAggregation,
)
from streams.operators.windowed_aggregate import AggregateByWindow
from streams.serde import Unknown, serde_for, windowed_serde
from streams.windowed import Windowed
from streams.windows import TimeWindows

K = TypeVar("K")
V = TypeVar("V")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Group:
    """What both kinds of groups carry: the records' operator, their schema as the repartition topic would write it,
    and the name that topic would have."""

    builder: TopologyBuilder
    node: Node
    schema: Schema
    name: str | None


@dataclass(frozen=True, slots=True)
class GroupedStream(Generic[K, V]):
    """Records by key. Source: `KGroupedStream`."""

    _group: Group

    @classmethod
    def of(cls, builder: TopologyBuilder, node: Node, name: str | None, key: Any, value: Any) -> GroupedStream[K, V]:
        """A group of what `node` forwards; `key` and `value` override what is known of its serdes."""
        origin = caller_origin()
        if name is not None:
            builder.check_name("group", name, origin)
        schema = builder.schema(key, value, node.schema, origin)
        return cls(Group(builder, node, schema, name))

    def windowed_by(self, windows: TimeWindows) -> WindowedStream[K, V]:
        """Groups each key's records further by `tumbling(…)` or `hopping(…)` windows of event time."""
        return WindowedStream(self._group, windows)

    def count(self, *, store: str | None = None) -> KTable[K, int]:
        """How many records each key had. Null values are not counted."""
        return self._aggregate(_counting(), store, "count", caller_origin())

    def reduce(self, reducer: Callable[[V, V], V], *, store: str | None = None) -> KTable[K, V]:
        """`reducer(aggregate, value)` over each key's values; the first value is the first aggregate."""
        origin = caller_origin()
        return self._aggregate(_reducing(self._group, reducer, origin, windowed=False), store, "reduce", origin)

    def aggregate(
        self,
        initializer: Callable[[], Any] | None = None,
        aggregator: Callable[[K, V, Any], Any] | None = None,
        *,
        value: Any = None,
        store: str | None = None,
        **named: Aggregate,
    ) -> KTable[K, Any]:
        """An aggregate per key: plain, or named ones side by side.

        Plain: `aggregator(key, value, aggregate)` folds each record into what `initializer()` began; `value=` says
        the aggregate's type or serde. Named: `aggregate(flights=count(), worst=max_(F.delay))` gives a value with
        those attributes. An aggregate of None deletes the key's row.
        """
        origin = caller_origin()
        aggregation, part = _folding(self._group, initializer, aggregator, value, named, origin, windowed=False)
        return self._aggregate((aggregation, part), store, "aggregate", origin)

    def _aggregate(
        self, made: tuple[Aggregation, Part], store: str | None, kind: str, origin: SourceLine | None
    ) -> KTable[K, Any]:
        group, (aggregation, part) = self._group, made
        name = group.builder.store_name(store, group.node, kind, origin)
        node = AggregateByKey(
            parents=(group.node,),
            schema=Schema(group.schema.key, part),
            group=group.schema,
            group_name=group.name or name,
            origin=origin,
            label=name,
            spec=KeyValueSpec(name=name, codec=aggregation.codec),
            aggregation=aggregation,
        )
        return KTable(group.builder, group.builder.add(node))


@dataclass(frozen=True, slots=True)
class WindowedStream(Generic[K, V]):
    """Records by key and window. Source: `TimeWindowedKStream`. Results are keyed by `Windowed(key, start, end)`."""

    _group: Group
    _windows: TimeWindows

    def count(self, *, store: str | None = None, retention: timedelta | None = None) -> KTable[Windowed[K], int]:
        """How many records each key had in each window. Null values count too, as in Kafka Streams."""
        return self._aggregate(_counting(), store, retention, "count", caller_origin())

    def reduce(
        self, reducer: Callable[[V, V], V], *, store: str | None = None, retention: timedelta | None = None
    ) -> KTable[Windowed[K], V]:
        """`reducer(aggregate, value)` over each key's values in each window."""
        origin = caller_origin()
        return self._aggregate(
            _reducing(self._group, reducer, origin, windowed=True), store, retention, "reduce", origin
        )

    def aggregate(
        self,
        initializer: Callable[[], Any] | None = None,
        aggregator: Callable[[K, V, Any], Any] | None = None,
        *,
        value: Any = None,
        store: str | None = None,
        retention: timedelta | None = None,
        **named: Aggregate,
    ) -> KTable[Windowed[K], Any]:
        """An aggregate per key and window, plain or named; see `GroupedStream.aggregate`.

        `retention` is how long the store keeps a window after its start (default and least: size + grace).
        """
        origin = caller_origin()
        made = _folding(self._group, initializer, aggregator, value, named, origin, windowed=True)
        return self._aggregate(made, store, retention, "aggregate", origin)

    def _aggregate(
        self,
        made: tuple[Aggregation, Part],
        store: str | None,
        retention: timedelta | None,
        kind: str,
        origin: SourceLine | None,
    ) -> KTable[Windowed[K], Any]:
        group, windows, (aggregation, part) = self._group, self._windows, made
        name = group.builder.store_name(store, group.node, f"windowed-{kind}", origin)
        least = windows.size_ms + windows.grace_ms
        retention_ms = least if retention is None else retention // timedelta(milliseconds=1)
        if retention_ms < least:
            group.builder.problem(
                f"the retention of store {name!r} is {retention_ms} ms, but its windows need their size and grace, "
                f"{least} ms",
                origin,
            )
        node = AggregateByWindow(
            parents=(group.node,),
            schema=Schema(Part(Windowed, windowed_serde(group.schema.key_serde(), windows.size_ms)), part),
            group=group.schema,
            group_name=group.name or name,
            origin=origin,
            label=name,
            spec=WindowSpec(name=name, codec=aggregation.codec, size_ms=windows.size_ms, retention_ms=retention_ms),
            windows=windows,
            aggregation=aggregation,
        )
        return KTable(group.builder, group.builder.add(node))


def _counting() -> tuple[Aggregation, Part]:
    # The store and `to` write a count as Kafka Streams does, as a 64-bit integer.
    serde = serde_for(int, role="value")
    return CountAggregation(serde=serde), Part(int, serde)


def _reducing(group: Group, reducer: Any, origin: SourceLine | None, *, windowed: bool) -> tuple[Aggregation, Part]:
    function = user_function(group.builder, "reduce", reducer, ("aggregate", "value"), origin=origin, expression=False)
    return ReduceAggregation(
        serde=group.schema.value_serde(), reducer=function, accepts_null=windowed
    ), group.schema.value


def _folding(
    group: Group,
    initializer: Any,
    aggregator: Any,
    value: Any,
    named: dict[str, Aggregate],
    origin: SourceLine | None,
    *,
    windowed: bool,
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
    init = user_function(builder, "aggregate", initializer or (lambda: None), (), origin=origin, expression=False)
    fold = user_function(
        builder,
        "aggregate",
        aggregator or (lambda key, value, aggregate: aggregate),  # pyright: ignore[reportUnknownLambdaType]
        ("key", "value", "aggregate"),
        origin=origin,
        expression=False,
    )
    part = _aggregate_part(group, init, fold, value, origin)
    serde = Schema(value=part).value_serde()
    return FoldAggregation(serde=serde, initializer=init, aggregator=fold, accepts_null=windowed), part


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
