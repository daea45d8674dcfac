"""Joins of a table with other tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar

from streams.dsl.foreign_key_joins import foreign_key_join
from streams.dsl.materialize import named_store
from streams.dsl.operand import is_operand
from streams.dsl.schemas import value_after
from streams.dsl.table_handle import TableHandle
from streams.expressions import Expression
from streams.graph.function import user_function
from streams.graph.origin import caller_origin
from streams.operators.table_join import JoinKind, TableJoin, TableJoinSide
from streams.serde import Serde
from streams.state import StoreName

if TYPE_CHECKING:
    from streams.dsl.ktable import KTable

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2")
V2 = TypeVar("V2", default=Any)  # what an expression on F gives, no type checker can tell
R = TypeVar("R", default=Any)


class TableJoins(TableHandle[K, V]):
    """`join`, `left_join`, `outer_join` of tables with equal keys, and by a foreign key.

    A result follows the changes of both tables. A joiner's None deletes the result's row. Without a store the joiner
    may be called again for values it has seen: it has to be a pure function.
    """

    __slots__ = ()

    @overload
    def join(
        self,
        other: KTable[K, V2],
        joiner: Callable[[V, V2], R] | Callable[[K, V, V2], R],
        *,
        foreign_key: None = None,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]: ...
    @overload
    def join(
        self,
        other: KTable[K2, V2],
        joiner: Callable[[V, V2], R],
        *,
        foreign_key: Callable[[V], K2 | None] | Callable[[K, V], K2 | None] | Expression,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]: ...
    @overload
    def join(
        self,
        other: KTable[K2, V2],
        joiner: Callable[[K, V, V2], R],
        *,
        foreign_key: Callable[[V], K2 | None] | Callable[[K, V], K2 | None] | Expression,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]: ...
    def join(
        self,
        other: KTable[Any, Any],
        joiner: Any,
        *,
        foreign_key: Any = None,
        value: Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, Any]:
        """Inner join: the rows `joiner(value, other_value)` of keys that both tables have.

        With `foreign_key`, a function of (value) or (key, value) or an expression, a row meets the row of the other
        table that has this key. The result has this table's keys, and follows both tables: a change of the other one
        makes a result for each row that refers to it, in the order of the keys' bytes, with the change's time; a change
        of this one makes a result with the later of both rows' times. A row whose foreign key is None is counted as
        dropped. A deletion (None) comes out where there may have been a result. The tables need not have the same
        number of partitions. Changes go through two internal topics,
        `<application>-<name>-subscription-registration-topic` and `…-subscription-response-topic`, and the other side
        keeps a store `<name>-subscription-store`; `name` is given, else the result's store. A serde of your own has
        to write a left value that it read as it was: answers to what is written otherwise are taken for stale.
        Source: `KTable.join(other, foreignKeyExtractor, joiner, TableJoined, Materialized)`, KIP-213, KIP-1104.
        """
        if foreign_key is not None:
            return self._join_foreign_key(other, foreign_key, joiner, value, store, name, is_left=False)
        return self._join(other, joiner, value, store, name, "inner", "join")

    @overload
    def left_join(
        self,
        other: KTable[K, V2],
        joiner: Callable[[V, V2 | None], R] | Callable[[K, V, V2 | None], R],
        *,
        foreign_key: None = None,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]: ...
    @overload
    def left_join(
        self,
        other: KTable[K2, V2],
        joiner: Callable[[V, V2 | None], R],
        *,
        foreign_key: Callable[[V], K2 | None] | Callable[[K, V], K2 | None] | Expression,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]: ...
    @overload
    def left_join(
        self,
        other: KTable[K2, V2],
        joiner: Callable[[K, V, V2 | None], R],
        *,
        foreign_key: Callable[[V], K2 | None] | Callable[[K, V], K2 | None] | Expression,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]: ...
    def left_join(
        self,
        other: KTable[Any, Any],
        joiner: Any,
        *,
        foreign_key: Any = None,
        value: Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, Any]:
        """Left join: a row for each key of this table; the joiner gets None where the other has nothing.

        `foreign_key` as with `join`. A row whose foreign key is None, or the key of no row, is joined with None; every
        change of this table gives a result, and a deletion one None.
        Source: `KTable.leftJoin(other, foreignKeyExtractor, joiner, …)`, KIP-213, with the null foreign keys of
        KAFKA-16407 and KAFKA-16434.
        """
        if foreign_key is not None:
            return self._join_foreign_key(other, foreign_key, joiner, value, store, name, is_left=True)
        return self._join(other, joiner, value, store, name, "left", "left_join")

    def outer_join(
        self,
        other: KTable[K, V2],
        joiner: Callable[[V | None, V2 | None], R] | Callable[[K, V | None, V2 | None], R],
        *,
        value: type[R] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, R]:
        """Outer join: a row for each key that either table has; the joiner gets None for the one that has nothing."""
        return self._join(other, joiner, value, store, name, "outer", "outer_join")

    def _join_foreign_key(
        self,
        other: KTable[Any, Any],
        foreign_key: Any,
        joiner: Any,
        value: Any,
        store: StoreName | None,
        name: str | None,
        *,
        is_left: bool,
    ) -> KTable[K, Any]:
        origin, builder = caller_origin(), self.builder
        operator = "left_join" if is_left else "join"
        if not is_operand(builder, operator, other, origin, "KTable"):
            return self._table(self.node)
        if other.builder is not builder:
            builder.problem(f"{operator} needs a table of the same App", origin)
            return self._table(self.node)
        made = foreign_key_join(
            builder, self.node, other.node, foreign_key, joiner, value, store, name, is_left=is_left, origin=origin
        )
        return self._table(made)

    def _join(
        self,
        other: KTable[K, Any],
        joiner: Any,
        value: Any,
        store: StoreName | None,
        name: str | None,
        join: JoinKind,
        operator: str,
    ) -> KTable[K, Any]:
        origin, builder = caller_origin(), self.builder
        shapes = ("left", "right"), ("key", "left", "right")
        function = user_function(builder, operator, joiner, *shapes, origin=origin, expression=False)
        if not is_operand(builder, operator, other, origin, "KTable"):
            return self._table(self.node)
        if other.builder is not builder:
            builder.problem(f"{operator} needs a table of the same App", origin)
            return self._table(self.node)
        if self.node.by_window or other.node.by_window:
            builder.problem(
                f"{operator} needs tables with one value per key; the rows of a windowed table are not found by its "
                "key alone: give it a store of its own first (filter or map_values with store=…)",
                origin,
            )
        mine, theirs = self.node.schema.key_serde(), other.node.schema.key_serde()
        if mine.name != theirs.name:
            builder.problem(
                f"{operator} needs equal keys on both sides, but one table's are written as {mine.name} and the "
                f"other's as {theirs.name}",
                origin,
            )
        types = {"left": self.node.schema.value.type, "right": other.node.schema.value.type}
        schema = self.node.schema.with_value(value_after(builder, self.node.schema, function, value, origin, **types))
        label = builder.label(name or store, self.node, TableJoin.kind)
        sides = [
            builder.add(
                TableJoinSide(
                    parents=parents,
                    schema=schema,
                    origin=origin,
                    label=f"{label}-{side}",
                    joiner=function,
                    join=join,
                    is_right=side == "right",
                )
            )
            for side, parents in (("left", (self.node, other.node)), ("right", (other.node, self.node)))
        ]
        node = TableJoin(
            parents=tuple(sides),
            schema=schema,
            origin=origin,
            label=label,
            joiner=function,
            join=join,
            spec=named_store(builder, self.node, schema, store, operator, origin),
        )
        return self._table(builder.add(node))
