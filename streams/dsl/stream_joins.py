"""Joins of a stream with others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from stores import BufferSpec
from streams.context import Context
from streams.dsl.global_ktable import GlobalKTable
from streams.dsl.ktable import KTable
from streams.dsl.operand import is_operand
from streams.dsl.schemas import key_after, value_after
from streams.dsl.stream_handle import StreamHandle
from streams.dsl.stream_joined import StreamJoined
from streams.dsl.stream_stream_join import join_streams
from streams.errors import SourceLine
from streams.expressions import Expression
from streams.graph.function import UserFunction, user_function
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Schema
from streams.operators.global_table_join import GlobalTableJoin
from streams.operators.stream_join import StreamJoinKind
from streams.operators.stream_table_join import StreamTableJoin
from streams.operators.waiting_stream_table_join import WaitingStreamTableJoin
from streams.serde import Serde, Unknown
from streams.windows import JoinWindows

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
V2 = TypeVar("V2", default=Any)  # what an expression on F gives, no type checker can tell
R = TypeVar("R", default=Any)


class StreamJoins(StreamHandle[K, V]):
    """`join`, `left_join`, `outer_join`."""

    __slots__ = ()

    def join(
        self,
        other: KStream[K, V2] | KTable[K, V2] | GlobalKTable[Any, V2],
        joiner: Callable[[V, V2], R] | Callable[[K, V, V2], R] | Callable[[V, V2, Context], R],
        *,
        windows: JoinWindows | None = None,
        on: Callable[[K, V], Any] | Expression | None = None,
        grace: timedelta | None = None,
        value: type[R] | Serde | Any = None,
        store: str | StreamJoined | None = None,
        name: str | None = None,
    ) -> KStream[K, R]:
        """Inner join: `joiner(value, other_value)` for each pair of records, or of record and row, that meet.

        With a stream, which needs `windows`: records of both with one key meet if their times fit. Results have the
        later of the two times; those of one record come by the time of the other. Null keys and values are dropped.

        With a table: a record of this stream meets the row that the table has of its key.

        Args:
            windows: with a stream, how far apart in time records may lie that meet: `join_window(before, after,
                grace=)`.
            on: with a global table, the key to look up, `on(key, value)`; default the record's own.
            grace: with a versioned table, how long records wait in a buffer for table rows that come late: until the
                newest record is older by no less. They come out in order of time. A record that is older than the
                newest by more does not wait. Source: `Joined.withGracePeriod` (KIP-923).
            value: the type of the results, where the joiner does not tell it.
            store: with a stream, the name or the `StreamJoined` of the stores that keep both sides' records.
            name: of the operator; with a stream also of the repartition topics it needs.

        Source: `KStream.join`, `JoinWindows`, `StreamJoined`.
        """
        return self._join(other, joiner, windows, on, grace, value, store, name, "inner", "join")

    def left_join(
        self,
        other: KStream[K, V2] | KTable[K, V2] | GlobalKTable[Any, V2],
        joiner: Callable[[V, V2 | None], R] | Callable[[K, V, V2 | None], R] | Callable[[V, V2 | None, Context], R],
        *,
        windows: JoinWindows | None = None,
        on: Callable[[K, V], Any] | Expression | None = None,
        grace: timedelta | None = None,
        value: type[R] | Serde | Any = None,
        store: str | StreamJoined | None = None,
        name: str | None = None,
    ) -> KStream[K, R]:
        """Left join: as `join`, and the joiner gets None for records of this stream that meet nothing.

        With a stream that is known, and comes out, once time has passed the record's window and grace; then with the
        record's own time. A record without a key meets nothing, at once.
        """
        return self._join(other, joiner, windows, on, grace, value, store, name, "left", "left_join")

    def outer_join(
        self,
        other: KStream[K, V2],
        joiner: Callable[[V | None, V2 | None], R]
        | Callable[[K, V | None, V2 | None], R]
        | Callable[[V | None, V2 | None, Context], R],
        *,
        windows: JoinWindows,
        value: type[R] | Serde | Any = None,
        store: str | StreamJoined | None = None,
        name: str | None = None,
    ) -> KStream[K, R]:
        """Outer join of two streams: as `left_join`, for records of either that meet none of the other."""
        return self._join(other, joiner, windows, None, None, value, store, name, "outer", "outer_join")

    def _join(
        self,
        other: KStream[K, Any] | KTable[K, Any] | GlobalKTable[Any, Any],
        joiner: Any,
        windows: JoinWindows | None,
        on: Any,
        grace: timedelta | None,
        value: Any,
        store: str | StreamJoined | None,
        name: str | None,
        join: StreamJoinKind,
        operator: str,
    ) -> KStream[K, Any]:
        kinds = ("KStream",) if join == "outer" else ("KStream", "KTable", "GlobalKTable")
        if not is_operand(self._builder, operator, other, caller_origin(), *kinds):
            return self._stream(self._node)
        if isinstance(other, StreamHandle):
            return self._join_stream(other, joiner, windows, on, grace, value, store, name, join, operator)
        if windows is not None or store is not None:
            self._builder.problem(
                f"{operator} with a table takes no windows= and store=: they are for joins with a stream",
                caller_origin(),
            )
        return self._join_table(other, joiner, on, grace, value, name, left=join == "left", operator=operator)

    def _join_stream(
        self,
        other: KStream[K, Any],
        joiner: Any,
        windows: JoinWindows | None,
        on: Any,
        grace: timedelta | None,
        value: Any,
        store: str | StreamJoined | None,
        name: str | None,
        join: StreamJoinKind,
        operator: str,
    ) -> KStream[K, Any]:
        origin, builder = caller_origin(), self._builder
        shapes = ("left", "right"), ("key", "left", "right")
        function = user_function(builder, operator, joiner, *shapes, origin=origin, expression=False)
        if other._builder is not builder:
            builder.problem(f"{operator} needs a stream of the same App", origin)
            return self._stream(self._node)
        if on is not None:
            builder.problem(
                f"{operator} joins streams by their keys; on= is for global tables: use select_key first",
                origin,
            )
        if grace is not None:
            builder.problem(f"{operator} with a stream takes its grace with windows=join_window(…, grace=…)", origin)
        if not isinstance(windows, JoinWindows):
            builder.problem(
                f"{operator} with a stream needs to know how far apart in time records may lie that meet: "
                f"windows=join_window(timedelta(minutes=5), grace=timedelta(0)); got {windows!r}",
                origin,
            )
            return self._stream(self._node)
        mine, theirs = self._node.schema.key_serde(), other._node.schema.key_serde()
        if mine.name != theirs.name:
            builder.problem(
                f"{operator} needs equal keys on both sides, but this stream's are written as {mine.name} and the "
                f"other's as {theirs.name}",
                origin,
            )
        node = join_streams(
            builder,
            self._node,
            other._node,
            function,
            join,
            windows,
            value=value,
            store=store,
            name=name,
            origin=origin,
        )
        return self._stream(node)

    def _join_table(
        self,
        table: KTable[K, Any] | GlobalKTable[Any, Any],
        joiner: Any,
        on: Any,
        grace: timedelta | None,
        value: Any,
        name: str | None,
        *,
        left: bool,
        operator: str,
    ) -> KStream[K, Any]:
        origin = caller_origin()
        shapes = ("left", "right"), ("key", "left", "right")
        function = user_function(self._builder, operator, joiner, *shapes, origin=origin, expression=False)
        if table.builder is not self._builder:
            self._builder.problem(f"{operator} needs a table of the same App", origin)
        if isinstance(table, KTable) and table.node.by_window:
            self._builder.problem(f"{operator} needs a table with one value per key; a windowed table has none", origin)
            return self._stream(self._node)
        if isinstance(table, KTable) and on is not None:
            self._builder.problem(
                f"{operator} looks a table up by the record's own key; on= is for global tables: use select_key first, "
                "or app.global_table",
                origin,
            )
        selector: UserFunction | None = None
        if isinstance(table, GlobalKTable) and grace is not None:
            self._builder.problem(f"{operator}: grace= is for versioned tables, a global table is none", origin)
        looked_up = self._node.schema.key
        if isinstance(table, GlobalKTable) and on is not None:
            selector = user_function(self._builder, operator, on, ("key", "value"), origin=origin)
            looked_up = key_after(self._builder, self._node.schema, selector, None, origin)
        mine, theirs = Schema(key=looked_up).key_serde(), table.node.schema.key_serde()
        if mine.name != theirs.name and (selector is None or looked_up.type not in (Unknown, Any)):
            self._builder.problem(
                f"{operator} needs equal keys on both sides, but the stream's are written as {mine.name} and the "
                f"table's as {theirs.name}",
                origin,
            )
        types = {"left": self._node.schema.value.type, "right": table.node.schema.value.type}
        part = value_after(self._builder, self._node.schema, function, value, origin, **types)
        shared: dict[str, Any] = {
            "schema": self._node.schema.with_value(part),
            "origin": origin,
            "label": self._builder.label(name, self._node, StreamTableJoin.kind),
            "joiner": function,
            "left": left,
        }
        node: Node
        if isinstance(table, GlobalKTable):
            spec, schema = table.node.spec, table.node.schema
            node = GlobalTableJoin(parents=(self._node,), spec=spec, table=schema, selector=selector, **shared)
        elif grace is not None:
            node = self._waiting(table, self._grace_ms(table, grace, operator, origin), name, shared)
        else:
            node = StreamTableJoin(parents=(self._node, table.node), **shared)
        return self._stream(self._builder.add(node))

    def _waiting(self, table: KTable[K, Any], grace_ms: int, name: str | None, shared: dict[str, Any]) -> Node:
        """The join whose records wait, with the buffer they wait in."""
        named = None if name is None else f"{name}-buffer"
        buffer = self._builder.store_name(named, self._node, "join-buffer", shared["origin"])
        return WaitingStreamTableJoin(
            parents=(self._node, table.node), spec=BufferSpec(name=buffer), grace_ms=grace_ms, **shared
        )

    def _grace_ms(self, table: KTable[K, Any], grace: timedelta, operator: str, origin: SourceLine | None) -> int:
        """The grace in ms; what it does not fit is noted as a problem at `origin`. Source: `StreamTableJoinNode`."""
        grace_ms, versions = grace // timedelta(milliseconds=1), table.node.versions
        if grace_ms < 0:
            self._builder.problem(f"{operator}: grace is {grace}, it must not be negative", origin)
        elif versions is None:
            self._builder.problem(
                f"{operator}: grace= needs a versioned table, which knows its rows as of a time: declare the table "
                "with store=Materialized(…, history_retention=…)",
                origin,
            )
        elif grace_ms > versions.history_ms:
            self._builder.problem(
                f"{operator}: records would wait for {grace_ms} ms, but the table {versions.name!r} keeps its history "
                f"for {versions.history_ms} ms only: set history_retention to no less than the grace",
                origin,
            )
        return max(grace_ms, 0)
