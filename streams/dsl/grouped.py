"""`GroupedStream`: records brought together by key, ready to be aggregated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from msgspec import Struct

from streams.aggregates import Aggregate
from streams.dsl.aggregations import Group, counting, folding, reducing
from streams.dsl.builder import TopologyBuilder
from streams.dsl.cogrouped import CogroupedStream, CogroupInput
from streams.dsl.ktable import KTable
from streams.dsl.materialize import table_spec
from streams.dsl.missing_method import TellsMissingMethods
from streams.dsl.session_windowed import SessionWindowedStream
from streams.dsl.windowed import WindowedStream
from streams.dsl.windowing import Windowing
from streams.errors import SourceLine
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.aggregate import AggregateByKey
from streams.operators.aggregation import Aggregation
from streams.operators.window_aggregate import Emit
from streams.state import StoreName
from streams.windows import AlignedWindows, SessionWindows, SlidingWindows, Windows

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
A = TypeVar("A")


class GroupedStream(TellsMissingMethods, Struct, Generic[K, V], frozen=True):
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

    @property
    def of_group(self) -> Group:
        """What is grouped; for a cogroup of this stream with others."""
        return self._group

    def cogroup(self, aggregator: Callable[[K, V, Any], Any]) -> CogroupedStream[K]:
        """Begins an aggregation over several grouped streams: `aggregator(key, value, aggregate)` folds this one's
        records into what all share."""
        return CogroupedStream((CogroupInput(self._group, aggregator),))

    @overload
    def windowed_by(
        self,
        windows: AlignedWindows | SlidingWindows,
        *,
        emit: Emit = "update",
        late: Callable[[KStream[K, V]], Any] | None = None,
    ) -> WindowedStream[K, V]: ...
    @overload
    def windowed_by(
        self,
        windows: SessionWindows,
        *,
        emit: Emit = "update",
        late: Callable[[KStream[K, V]], Any] | None = None,
    ) -> SessionWindowedStream[K, V]: ...
    def windowed_by(
        self,
        windows: Windows,
        *,
        emit: Emit = "update",
        late: Callable[[KStream[K, V]], Any] | None = None,
    ) -> WindowedStream[K, V] | SessionWindowedStream[K, V]:
        """Groups each key's records further by windows of event time: `tumbling(…)`, `hopping(…)`, `sliding(…)`,
        `session(…)`, `calendar(…)`, `unlimited(…)`.

        Args:
            emit: `"update"` forwards a window's result at each change; `"close"` forwards it once, when the window is
                closed, that is when a record (or, behind a repartition, a watermark) has brought stream time beyond
                the window's end and its grace. Source: `EmitStrategy` (KIP-825).
            late: is called now, with the stream of those records that no window takes any more because all of theirs
                are closed: `late=lambda stream: stream.to("too-late")`. They are counted as dropped all the same.
        """
        windowing = Windowing.of(self._group, windows, emit, late, caller_origin())
        return SessionWindowedStream(windowing) if isinstance(windows, SessionWindows) else WindowedStream(windowing)

    def count(self, *, store: StoreName | None = None) -> KTable[K, int]:
        """How many records each key had. Null values are not counted."""
        return self._aggregate(counting(), store, "count", caller_origin())

    def reduce(self, reducer: Callable[[V, V], V], *, store: StoreName | None = None) -> KTable[K, V]:
        """`reducer(aggregate, value)` over each key's values; the first value is the first aggregate."""
        origin = caller_origin()
        return self._aggregate(reducing(self._group, reducer, origin, windowed=False), store, "reduce", origin)

    def aggregate(
        self,
        initializer: Callable[[], Any] | None = None,
        aggregator: Callable[[K, V, Any], Any] | None = None,
        *,
        value: Any = None,
        store: StoreName | None = None,
        **named: Aggregate,
    ) -> KTable[K, Any]:
        """An aggregate per key: plain, or named ones side by side.

        Plain: `aggregator(key, value, aggregate)` folds each record into what `initializer()` began; `value=` says
        the aggregate's type or serde. Named: `aggregate(flights=count(), worst=max_(F.delay))` gives a value with
        those attributes. An aggregate of None deletes the key's row. The aggregator may change its aggregate in place,
        but not the value, nor what it has kept of values: others have the same objects, other windows among them.
        """
        origin = caller_origin()
        aggregation, part = folding(self._group, initializer, aggregator, value, named, origin, windowed=False)
        return self._aggregate((aggregation, part), store, "aggregate", origin)

    def _aggregate(
        self, made: tuple[Aggregation, Part], store: StoreName | None, kind: str, origin: SourceLine | None
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
            spec=table_spec(store, name, aggregation.codec),
            aggregation=aggregation,
        )
        return KTable(group.builder, group.builder.add(node))
