"""`SessionWindowedStream`: records brought together by key and session, ready to be aggregated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from msgspec import Struct

from streams.aggregates import Aggregate
from streams.dsl.aggregations import counting, folding, reducing
from streams.dsl.ktable import KTable
from streams.dsl.missing_method import TellsMissingMethods
from streams.dsl.windowing import Windowing
from streams.graph.origin import caller_origin
from streams.state import StoreName
from streams.windowed import Windowed

K = TypeVar("K")
V = TypeVar("V")


class SessionWindowedStream(TellsMissingMethods, Struct, Generic[K, V], frozen=True):
    """Records by key and session. Source: `SessionWindowedKStream`.

    Results are keyed by `Windowed(key, start, end)`, the times of the session's first and last record. A session that
    is taken into a larger one gets a null. `retention` is how long the store keeps a session after its end; default
    and least are gap + grace.
    """

    _windowing: Windowing

    def count(self, *, store: StoreName | None = None, retention: timedelta | None = None) -> KTable[Windowed[K], int]:
        """How many records each session of a key has. Null values count too, as in Kafka Streams."""
        return self._windowing.aggregate(counting(), store, retention, "count", caller_origin())

    def reduce(
        self, reducer: Callable[[V, V], V], *, store: StoreName | None = None, retention: timedelta | None = None
    ) -> KTable[Windowed[K], V]:
        """`reducer(aggregate, value)` over the values of each session; it also merges: `reducer(aggregate, an older
        session's aggregate)`."""
        origin = caller_origin()
        made = reducing(self._windowing.group, reducer, origin, windowed=True)
        return self._windowing.aggregate(made, store, retention, "reduce", origin)

    def aggregate(
        self,
        initializer: Callable[[], Any] | None = None,
        aggregator: Callable[[K, V, Any], Any] | None = None,
        merger: Callable[[Any, Any], Any] | Callable[[K, Any, Any], Any] | None = None,
        *,
        value: Any = None,
        store: StoreName | None = None,
        retention: timedelta | None = None,
        **named: Aggregate,
    ) -> KTable[Windowed[K], Any]:
        """An aggregate per key and session, plain or named; see `GroupedStream.aggregate`.

        A record makes a new aggregate by `initializer()`, brings in the aggregates of the sessions it joins by
        `merger(aggregate, other)` or `merger(key, aggregate, other)`, oldest first, and is then folded in by
        `aggregator(key, value, aggregate)`. Named aggregates know how to merge.
        """
        origin = caller_origin()
        group = self._windowing.group
        if merger is None and not named:
            group.builder.problem("aggregate over sessions needs a merger of two sessions' aggregates", origin)
        if merger is not None and named:
            group.builder.problem(
                "aggregate takes a merger with functions only; named aggregates merge by themselves", origin
            )
        made = folding(group, initializer, aggregator, value, named, origin, windowed=True, merger=merger)
        return self._windowing.aggregate(made, store, retention, "aggregate", origin)
