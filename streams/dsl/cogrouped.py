"""`CogroupedStream` and its windowed forms: several grouped streams aggregated into one table.

views.group_by_key().cogroup(add_view).cogroup(clicks.group_by_key(), add_click).aggregate(Profile, value=Profile)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from msgspec import Struct

from streams.dsl.aggregations import Group, folding
from streams.dsl.ktable import KTable
from streams.dsl.materialize import refuse_versions, table_spec
from streams.dsl.missing_method import TellsMissingMethods
from streams.dsl.operand import is_operand
from streams.dsl.windowing import Windowing
from streams.errors import SourceLine
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.aggregate import AggregateByKey
from streams.operators.aggregation import Aggregation
from streams.operators.cogroup import Cogroup
from streams.operators.window_aggregate import Emit
from streams.state import StoreName
from streams.windowed import Windowed
from streams.windows import AlignedWindows, SessionWindows, SlidingWindows, Windows

if TYPE_CHECKING:
    from streams.dsl.grouped import GroupedStream

K = TypeVar("K")
A = TypeVar("A")


class CogroupInput(Struct, frozen=True):
    """One grouped stream and what folds its records into the aggregate that all inputs share."""

    group: Group
    aggregator: Callable[..., Any]


class CogroupedStream(TellsMissingMethods, Struct, Generic[K], frozen=True):
    """Grouped streams with one key, each with its own aggregator. Source: `CogroupedKStream`."""

    _inputs: tuple[CogroupInput, ...]

    def cogroup(self, group: GroupedStream[K, Any], aggregator: Callable[[K, Any, A], A]) -> CogroupedStream[K]:
        """One more input: `aggregator(key, value, aggregate)` folds its records in."""
        builder = self._inputs[0].group.builder
        if not is_operand(builder, "cogroup", group, caller_origin(), "GroupedStream"):
            return self
        return CogroupedStream((*self._inputs, CogroupInput(group.of_group, aggregator)))

    def aggregate(
        self, initializer: Callable[[], A], *, value: Any = None, store: StoreName | None = None
    ) -> KTable[K, A]:
        """The table of the aggregates that `initializer()` begins and all inputs' records change.

        Null keys and null values are dropped; an aggregate of None deletes the key's row.
        """
        origin = caller_origin()
        builder = self._inputs[0].group.builder
        name = builder.store_name(store, self._inputs[0].group.node, "cogroup", origin)
        folded = self._folded(initializer, None, value, origin)
        spec = table_spec(store, name, folded[0][1].codec)
        nodes: list[Node] = []
        for number, (group, aggregation, part) in enumerate(folded, 1):
            node = AggregateByKey(
                parents=(group.node,),
                schema=Schema(group.schema.key, part),
                group=group.schema,
                group_name=group.name or f"{name}-{number}",
                origin=origin,
                label=f"{name}-{number}",
                spec=spec,
                aggregation=aggregation,
            )
            nodes.append(builder.add(node))
        return self._merged(nodes, name, origin)

    @overload
    def windowed_by(
        self, windows: AlignedWindows | SlidingWindows, *, emit: Emit = "update"
    ) -> WindowedCogroupedStream[K]: ...
    @overload
    def windowed_by(self, windows: SessionWindows, *, emit: Emit = "update") -> SessionWindowedCogroupedStream[K]: ...
    def windowed_by(
        self, windows: Windows, *, emit: Emit = "update"
    ) -> WindowedCogroupedStream[K] | SessionWindowedCogroupedStream[K]:
        """Groups each key's records further by windows of event time; see `GroupedStream.windowed_by`.

        Each input has a clock of its own, by which its records are late, as in Kafka Streams. With `emit="close"` they
        share one clock, so that a window comes out once, with what all inputs gave it.
        """
        windowing = Windowing.of(self._inputs[0].group, windows, emit, None, caller_origin())
        if isinstance(windows, SessionWindows):
            return SessionWindowedCogroupedStream(self, windowing)
        return WindowedCogroupedStream(self, windowing)

    def windowed(
        self,
        windowing: Windowing,
        initializer: Callable[[], Any],
        merger: Callable[..., Any] | None,
        value: Any,
        store: StoreName | None,
        retention: timedelta | None,
        origin: SourceLine | None,
    ) -> KTable[Any, Any]:
        """The table of the aggregates per key and window."""
        builder = windowing.group.builder
        refuse_versions(builder, store, "windows are kept by their start", origin)
        name = builder.store_name(store, windowing.group.node, "windowed-cogroup", origin)
        folded = self._folded(initializer, merger, value, origin, windowed=True)
        spec = windowing.store_spec(name, folded[0][1], retention, origin)
        nodes: list[Node] = []
        for number, (group, aggregation, part) in enumerate(folded, 1):
            input_name = f"{name}-{number}"
            clock_name = name if windowing.emit == "close" else f"{name}/{number}"
            nodes.append(
                windowing.append(
                    group, aggregation, part, spec, group.name or input_name, clock_name, input_name, origin
                )
            )
        return self._merged(nodes, name, origin)

    def _folded(
        self,
        initializer: Callable[[], Any],
        merger: Callable[..., Any] | None,
        value: Any,
        origin: SourceLine | None,
        *,
        windowed: bool = False,
    ) -> list[tuple[Group, Aggregation, Part]]:
        """Each input with what folds its records; all write the aggregate in the same way."""
        folded: list[tuple[Group, Aggregation, Part]] = []
        for each in self._inputs:
            # What the first input's functions told of the aggregate's type holds for all: they share its rows.
            kind = Schema(value=folded[0][2]).value_serde() if folded else value
            aggregation, part = folding(
                each.group, initializer, each.aggregator, kind, {}, origin, windowed=windowed, merger=merger
            )
            folded.append((each.group, aggregation, part))
        return folded

    def _merged(self, nodes: list[Node], name: str, origin: SourceLine | None) -> KTable[Any, Any]:
        builder = self._inputs[0].group.builder
        spec = nodes[0].store
        assert spec is not None
        merged = Cogroup(parents=tuple(nodes), schema=nodes[0].schema, origin=origin, label=name, spec=spec)
        return KTable(builder, builder.add(merged))


class WindowedCogroupedStream(TellsMissingMethods, Struct, Generic[K], frozen=True):
    """Source: `TimeWindowedCogroupedKStream`."""

    _cogrouped: CogroupedStream[K]
    _windowing: Windowing

    def aggregate(
        self,
        initializer: Callable[[], A],
        *,
        value: Any = None,
        store: StoreName | None = None,
        retention: timedelta | None = None,
    ) -> KTable[Windowed[K], A]:
        """The table of the aggregates per key and window; see `CogroupedStream.aggregate` and `WindowedStream`."""
        return self._cogrouped.windowed(self._windowing, initializer, None, value, store, retention, caller_origin())


class SessionWindowedCogroupedStream(TellsMissingMethods, Struct, Generic[K], frozen=True):
    """Source: `SessionWindowedCogroupedKStream`."""

    _cogrouped: CogroupedStream[K]
    _windowing: Windowing

    def aggregate(
        self,
        initializer: Callable[[], A],
        merger: Callable[[A, A], A] | Callable[[K, A, A], A],
        *,
        value: Any = None,
        store: StoreName | None = None,
        retention: timedelta | None = None,
    ) -> KTable[Windowed[K], A]:
        """The table of the aggregates per key and session; see `CogroupedStream.aggregate` and
        `SessionWindowedStream.aggregate`."""
        return self._cogrouped.windowed(self._windowing, initializer, merger, value, store, retention, caller_origin())
