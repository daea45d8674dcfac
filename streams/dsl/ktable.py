"""`KTable`: the newest value of each key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar

from streams.context import Context
from streams.dsl.grouped_table import GroupedTable
from streams.dsl.materialize import named_store
from streams.dsl.schemas import key_after, pair_after, value_after
from streams.dsl.table_joins import TableJoins
from streams.expressions import Expression
from streams.graph.function import user_function
from streams.graph.origin import caller_origin
from streams.graph.schema import Schema
from streams.operators.select_key import SelectKey
from streams.operators.table_filter import TableFilter
from streams.operators.table_map_values import TableMapValues
from streams.operators.to_stream import ToStream
from streams.serde import Serde
from streams.state import StoreName

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2", default=Any)  # what an expression on F gives, no type checker can tell
V2 = TypeVar("V2", default=Any)


class KTable(TableJoins[K, V]):
    """An immutable handle on a table: read from a topic, made of a stream, or the result of an aggregation.

    A null value deletes the key; functions are not called for it. `store=` keeps the result in a store of that name,
    which can be queried; without it an operator keeps rows only where something needs them.
    Joins with other tables stand in `table_joins`.
    Source: `org.apache.kafka.streams.kstream.KTable`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"KTable({self.node.label})"

    @property
    def store_name(self) -> str | None:
        """The name under which the table's rows can be queried; None if nobody asked for a store."""
        return self.node.store.name if self.node.store is not None else None

    # -- row by row ---------------------------------------------------------------------------------------------------
    def filter(
        self,
        predicate: Callable[[K, V], Any] | Callable[[K, V, Context], Any] | Expression,
        *,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, V]:
        """The rows `predicate(key, value)` holds for. A row that no longer passes is deleted from the result."""
        return self._filter("filter", predicate, store, name, negate=False)

    def filter_not(
        self,
        predicate: Callable[[K, V], Any] | Callable[[K, V, Context], Any] | Expression,
        *,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, V]:
        """The rows `predicate(key, value)` does not hold for."""
        return self._filter("filter_not", predicate, store, name, negate=True)

    def _filter(
        self, operator: str, predicate: Any, store: StoreName | None, name: str | None, *, negate: bool
    ) -> KTable[K, V]:
        origin = caller_origin()
        function = user_function(self.builder, operator, predicate, ("key", "value"), origin=origin)
        spec = named_store(self.builder, self.node, self.node.schema, store, operator, origin)
        node = TableFilter(
            parents=(self.node,),
            schema=self.node.schema,
            origin=origin,
            label=self.builder.label(name or store, self.node, TableFilter.kind),
            predicate=function,
            negate=negate,
            spec=spec,
        )
        return KTable(self.builder, self.builder.add(node))

    def map_values(
        self,
        mapper: Callable[[V], V2] | Callable[[K, V], V2] | Callable[[V, Context], V2] | Expression,
        *,
        value: type[V2] | Serde | Any = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KTable[K, V2]:
        """Each row with the value `mapper(value)` or `mapper(key, value)`; a result of None deletes the row.

        Without a store the mapper may be called again for a value it has seen: it has to be a pure function.
        """
        origin = caller_origin()
        function = user_function(self.builder, "map_values", mapper, ("value",), ("key", "value"), origin=origin)
        schema = self.node.schema.with_value(value_after(self.builder, self.node.schema, function, value, origin))
        spec = named_store(self.builder, self.node, schema, store, "map-values", origin)
        node = TableMapValues(
            parents=(self.node,),
            schema=schema,
            origin=origin,
            label=self.builder.label(name or store, self.node, TableMapValues.kind),
            mapper=function,
            spec=spec,
        )
        return KTable(self.builder, self.builder.add(node))

    # -- out and on -------------------------------------------------------------------------------------------------
    @overload
    def to_stream(self, selector: None = None, *, name: str | None = None) -> KStream[K, V]: ...
    @overload
    def to_stream(
        self,
        selector: Callable[[K, V], K2] | Callable[[K, V, Context], K2] | Expression,
        *,
        key: type[K2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V]: ...
    def to_stream(
        self,
        selector: Callable[[K, V], K2] | Callable[[K, V, Context], K2] | Expression | None = None,
        *,
        key: type[K2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[Any, V]:
        """Every change of the table as a record; a deletion has a null value.

        `selector(key, value)` gives the records another key; it is called for deletions too.
        """
        from streams.dsl.kstream import KStream

        origin = caller_origin()
        node = self.builder.add(
            ToStream(
                parents=(self.node,),
                schema=self.node.schema,
                origin=origin,
                label=self.builder.label(name, self.node, ToStream.kind),
            )
        )
        if selector is None:
            return KStream(self.builder, node)
        function = user_function(self.builder, "to_stream", selector, ("key", "value"), origin=origin)
        rekeyed = SelectKey(
            parents=(node,),
            schema=node.schema.with_key(key_after(self.builder, node.schema, function, key, origin)),
            origin=origin,
            label=self.builder.label(None, node, SelectKey.kind),
            selector=function,
        )
        return KStream(self.builder, self.builder.add(rekeyed))

    def group_by(
        self,
        selector: Callable[[K, V], tuple[K2, V2] | None] | Callable[[K, V, Context], tuple[K2, V2] | None] | Expression,
        *,
        name: str | None = None,
        key: type[K2] | Serde | Any = None,
        value: type[V2] | Serde | Any = None,
    ) -> GroupedTable[K2, V2]:
        """Groups rows by another key, so that aggregates follow the table's changes.

        `selector(key, value)` gives the pair (group key, value to aggregate); an expression gives the group key, and
        the value stays. A row whose pair, key or value is None is in no group. Changes go through a repartition topic,
        which `name` names; a row that moves to another group is first taken out of its old one.
        """
        origin = caller_origin()
        function = user_function(self.builder, "group_by", selector, ("key", "value"), origin=origin)
        if isinstance(function.target, Expression):
            known = Schema(key_after(self.builder, self.node.schema, function, key, origin), self.node.schema.value)
            schema = self.builder.schema(None, value, known, origin)
        else:
            schema = pair_after(self.builder, self.node.schema, function, key, value, origin, many=False)
        return GroupedTable.of(self.builder, self.node, function, schema, name, origin)
