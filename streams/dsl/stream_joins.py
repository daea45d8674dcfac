"""Joins of a stream with others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from streams.context import Context
from streams.dsl.ktable import KTable
from streams.dsl.schemas import value_after
from streams.dsl.stream_handle import StreamHandle
from streams.graph.function import user_function
from streams.graph.origin import caller_origin
from streams.operators.stream_table_join import StreamTableJoin
from streams.serde import Serde

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
V2 = TypeVar("V2", default=Any)  # what an expression on F gives, no type checker can tell
R = TypeVar("R", default=Any)


class StreamJoins(StreamHandle[K, V]):
    """`join`, `left_join`."""

    __slots__ = ()

    def join(
        self,
        table: KTable[K, V2],
        joiner: Callable[[V, V2], R] | Callable[[K, V, V2], R] | Callable[[V, V2, Context], R],
        *,
        value: type[R] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, R]:
        """Inner join with a table: `joiner(value, table_value)` for records whose key the table has."""
        return self._join(table, joiner, value, name, left=False, operator="join")

    def left_join(
        self,
        table: KTable[K, V2],
        joiner: Callable[[V, V2 | None], R] | Callable[[K, V, V2 | None], R] | Callable[[V, V2 | None, Context], R],
        *,
        value: type[R] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, R]:
        """Left join with a table: the joiner gets None where the table has nothing."""
        return self._join(table, joiner, value, name, left=True, operator="left_join")

    def _join(
        self, table: KTable[K, Any], joiner: Any, value: Any, name: str | None, *, left: bool, operator: str
    ) -> KStream[K, Any]:
        origin = caller_origin()
        function = user_function(
            self._builder,
            operator,
            joiner,
            ("left", "right"),
            ("key", "left", "right"),
            origin=origin,
            expression=False,
        )
        if table.node.by_window:
            self._builder.problem(f"{operator} needs a table with one value per key; a windowed table has none", origin)
            return self._stream(self._node)
        if table.builder is not self._builder:
            self._builder.problem(f"{operator} needs a table of the same App", origin)
        mine, theirs = self._node.schema.key_serde(), table.node.schema.key_serde()
        if mine.name != theirs.name:
            self._builder.problem(
                f"{operator} needs equal keys on both sides, but the stream's are written as {mine.name} and the "
                f"table's as {theirs.name}",
                origin,
            )
        node = StreamTableJoin(
            parents=(self._node, table.node),
            schema=self._node.schema.with_value(
                value_after(
                    self._builder,
                    self._node.schema,
                    function,
                    value,
                    origin,
                    left=self._node.schema.value.type,
                    right=table.node.schema.value.type,
                )
            ),
            origin=origin,
            label=self._builder.label(name, self._node, StreamTableJoin.kind),
            joiner=function,
            left=left,
        )
        return self._stream(self._builder.add(node))
