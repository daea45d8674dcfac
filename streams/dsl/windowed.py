"""`WindowedStream`: records brought together by key and window of time, ready to be aggregated."""

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


class WindowedStream(TellsMissingMethods, Struct, Generic[K, V], frozen=True):
    """Records by key and window. Source: `TimeWindowedKStream`.

    Results are keyed by `Windowed(key, start, end)`; the end is exclusive, but inclusive for sliding windows, and
    2**63 - 1 for unlimited ones. `retention` is how long the store keeps a window after its start; default and least
    are size + grace, for sliding windows 2 difference + grace; unlimited windows are kept for ever.
    """

    _windowing: Windowing

    def count(self, *, store: StoreName | None = None, retention: timedelta | None = None) -> KTable[Windowed[K], int]:
        """How many records each key had in each window. Null values count too, but not in sliding windows, as in Kafka
        Streams."""
        return self._windowing.aggregate(counting(), store, retention, "count", caller_origin())

    def reduce(
        self, reducer: Callable[[V, V], V], *, store: StoreName | None = None, retention: timedelta | None = None
    ) -> KTable[Windowed[K], V]:
        """`reducer(aggregate, value)` over each key's values in each window."""
        origin = caller_origin()
        made = reducing(self._windowing.group, reducer, origin, windowed=True)
        return self._windowing.aggregate(made, store, retention, "reduce", origin)

    def aggregate(
        self,
        initializer: Callable[[], Any] | None = None,
        aggregator: Callable[[K, V, Any], Any] | None = None,
        *,
        value: Any = None,
        store: StoreName | None = None,
        retention: timedelta | None = None,
        **named: Aggregate,
    ) -> KTable[Windowed[K], Any]:
        """An aggregate per key and window, plain or named; see `GroupedStream.aggregate`."""
        origin = caller_origin()
        made = folding(self._windowing.group, initializer, aggregator, value, named, origin, windowed=True)
        return self._windowing.aggregate(made, store, retention, "aggregate", origin)
