"""A stream's records brought together by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typing_extensions import TypeVar

from streams.context import Context
from streams.dsl.grouped import GroupedStream
from streams.dsl.stream_handle import StreamHandle
from streams.expressions import Expression
from streams.graph.origin import caller_origin
from streams.serde import Serde

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2", default=Any)  # what an expression on F gives, no type checker can tell


class StreamGrouping(StreamHandle[K, V]):
    """`group_by_key`, `group_by`."""

    __slots__ = ()

    def group_by_key(
        self, *, name: str | None = None, key: type[K] | Serde | Any = None, value: type[V] | Serde | Any = None
    ) -> GroupedStream[K, V]:
        """Groups by the key the records have. `name` names the repartition topic, should one be needed."""
        return GroupedStream[K, V].of(self._builder, self._node, name, key, value)

    def group_by(
        self,
        selector: Callable[[K, V], K2] | Callable[[K, V, Context], K2] | Expression,
        *,
        name: str | None = None,
        key: type[K2] | Serde | Any = None,
        value: type[V] | Serde | Any = None,
    ) -> GroupedStream[K2, V]:
        """Groups by a new key, `selector(key, value)`; the records go through a repartition topic."""
        node = self._select_key("group_by", selector, key, None, caller_origin())
        return GroupedStream[K2, V].of(self._builder, node, name, None, value)
