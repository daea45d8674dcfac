"""`KStream`: an unbounded sequence of records, each a fact of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, cast

from typing_extensions import TypeVar

from stores import KeyValueSpec, ValueCodec
from streams.context import Context
from streams.dsl.branched import BranchedStream
from streams.dsl.builder import TopologyBuilder
from streams.dsl.grouped import GroupedStream
from streams.dsl.ktable import KTable
from streams.dsl.schemas import element_after, key_after, pair_after, value_after
from streams.errors import SourceLine
from streams.expressions import Expression
from streams.graph.function import user_function
from streams.graph.logical import AnyNode
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.filter import Filter
from streams.operators.flat_map import FlatMap, FlatMapValues
from streams.operators.map import Map
from streams.operators.map_values import MapValues
from streams.operators.materialize import Materialize
from streams.operators.merge import Merge
from streams.operators.peek import Foreach, Peek
from streams.operators.repartition import Repartition
from streams.operators.select_key import SelectKey
from streams.operators.sink import Sink
from streams.operators.stream_table_join import StreamTableJoin
from streams.serde import Serde

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2", default=Any)  # what an expression on F gives, no type checker can tell
V2 = TypeVar("V2", default=Any)
R = TypeVar("R", default=Any)

Predicate = Callable[[K, V], Any] | Callable[[K, V, Context], Any] | Expression


class KStream(Generic[K, V]):
    """An immutable handle on a stream. Each method returns a new handle and changes none.

    Functions get `(key, value)`, or `value` alone where the name says so; an expression on `F` fits wherever a
    function does. A last parameter annotated `Context` receives the record's coordinates. Where a function's result
    type cannot be told from its annotation or body, `key=` and `value=` say it.
    Source: `org.apache.kafka.streams.kstream.KStream`.
    """

    __slots__ = ("_builder", "_node")

    def __init__(self, builder: TopologyBuilder, node: Node) -> None:
        self._builder = builder
        self._node = node

    def __repr__(self) -> str:
        return f"KStream({self._node.label})"

    def _then(
        self, kind: Callable[..., AnyNode], name: str | None, origin: SourceLine | None, schema: Schema, **fields: Any
    ) -> AnyNode:
        """Appends an operator of `kind` behind this stream; `fields` are its own."""
        label = self._builder.label(name, self._node, cast(type[Node], kind).kind)
        return self._builder.add(kind(parents=(self._node,), schema=schema, origin=origin, label=label, **fields))

    # -- stateless --------------------------------------------------------------------------------------------------
    def filter(self, predicate: Predicate[K, V], *, name: str | None = None) -> KStream[K, V]:
        """The records `predicate(key, value)` holds for."""
        return self._filter("filter", predicate, negate=False, name=name)

    def filter_not(self, predicate: Predicate[K, V], *, name: str | None = None) -> KStream[K, V]:
        """The records `predicate(key, value)` does not hold for."""
        return self._filter("filter_not", predicate, negate=True, name=name)

    def _filter(self, operator: str, predicate: Any, *, negate: bool, name: str | None) -> KStream[K, V]:
        origin = caller_origin()
        function = user_function(self._builder, operator, predicate, ("key", "value"), origin=origin)
        node = self._then(Filter, name, origin, self._node.schema, predicate=function, negate=negate)
        return KStream(self._builder, node)

    def map_values(
        self,
        mapper: Callable[[V], V2] | Callable[[K, V], V2] | Callable[[V, Context], V2] | Expression,
        *,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """Each record with the value `mapper(value)` or `mapper(key, value)`. Null values are passed to it too."""
        origin = caller_origin()
        function = user_function(self._builder, "map_values", mapper, ("value",), ("key", "value"), origin=origin)
        node = self._then(
            MapValues,
            name,
            origin,
            self._node.schema.with_value(value_after(self._builder, self._node.schema, function, value, origin)),
            mapper=function,
        )
        return KStream(self._builder, node)

    def map(
        self,
        mapper: Callable[[K, V], tuple[K2, V2]]
        | Callable[[K, V, Context], tuple[K2, V2]]
        | Expression
        | tuple[Any, Any],
        *,
        key: type[K2] | Serde | Any = None,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V2]:
        """The pair `mapper(key, value)`, or `(F.a, F.b)`, in place of each record. The key counts as changed."""
        origin = caller_origin()
        function = user_function(self._builder, "map", mapper, ("key", "value"), origin=origin)
        node = self._then(
            Map,
            name,
            origin,
            pair_after(self._builder, self._node.schema, function, key, value, origin, many=False),
            mapper=function,
        )
        return KStream(self._builder, node)

    def flat_map(
        self,
        mapper: Callable[[K, V], Iterable[tuple[K2, V2]]]
        | Callable[[K, V, Context], Iterable[tuple[K2, V2]]]
        | Expression,
        *,
        key: type[K2] | Serde | Any = None,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V2]:
        """All pairs of `mapper(key, value)` in place of each record. The key counts as changed."""
        origin = caller_origin()
        function = user_function(self._builder, "flat_map", mapper, ("key", "value"), origin=origin)
        node = self._then(
            FlatMap,
            name,
            origin,
            pair_after(self._builder, self._node.schema, function, key, value, origin, many=True),
            mapper=function,
        )
        return KStream(self._builder, node)

    def flat_map_values(
        self,
        mapper: Callable[[V], Iterable[V2]] | Callable[[K, V], Iterable[V2]] | Expression,
        *,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """A record for each value of `mapper(value)`, under the same key."""
        origin = caller_origin()
        function = user_function(self._builder, "flat_map_values", mapper, ("value",), ("key", "value"), origin=origin)
        node = self._then(
            FlatMapValues,
            name,
            origin,
            self._node.schema.with_value(element_after(self._builder, self._node.schema, function, value, origin)),
            mapper=function,
        )
        return KStream(self._builder, node)

    def select_key(
        self,
        selector: Callable[[K, V], K2] | Callable[[K, V, Context], K2] | Expression,
        *,
        key: type[K2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V]:
        """Each record under the key `selector(key, value)`. The next key-dependent operator repartitions."""
        return KStream(self._builder, self._select_key("select_key", selector, key, name, caller_origin()))

    def _select_key(self, operator: str, selector: Any, key: Any, name: str | None, origin: Any) -> Node:
        function = user_function(self._builder, operator, selector, ("key", "value"), origin=origin)
        return self._builder.add(
            SelectKey(
                parents=(self._node,),
                schema=self._node.schema.with_key(key_after(self._builder, self._node.schema, function, key, origin)),
                origin=origin,
                label=self._builder.label(name, self._node, SelectKey.kind),
                selector=function,
            )
        )

    def peek(
        self, action: Callable[[K, V], Any] | Callable[[K, V, Context], Any], *, name: str | None = None
    ) -> KStream[K, V]:
        """Calls `action(key, value)` for its effect and passes the record on."""
        origin = caller_origin()
        node = self._then(
            Peek,
            name,
            origin,
            self._node.schema,
            action=user_function(self._builder, "peek", action, ("key", "value"), origin=origin, expression=False),
        )
        return KStream(self._builder, node)

    def foreach(
        self, action: Callable[[K, V], Any] | Callable[[K, V, Context], Any], *, name: str | None = None
    ) -> None:
        """Calls `action(key, value)` for its effect; nothing follows."""
        origin = caller_origin()
        self._then(
            Foreach,
            name,
            origin,
            self._node.schema,
            action=user_function(self._builder, "foreach", action, ("key", "value"), origin=origin, expression=False),
        )

    def merge(self, other: KStream[K, V], *, name: str | None = None) -> KStream[K, V]:
        """The records of both streams, without an order between them."""
        origin = caller_origin()
        mine, theirs = self._node.schema, other._node.schema
        node = Merge(
            parents=(self._node, other._node),
            schema=Schema(
                mine.key if mine.key == theirs.key else Part(), mine.value if mine.value == theirs.value else Part()
            ),
            origin=origin,
            label=self._builder.label(name, self._node, Merge.kind),
        )
        if other._builder is not self._builder:
            self._builder.problem("merge needs two streams of the same App", origin)
        return KStream(self._builder, self._builder.add(node))

    def split(self, *, name: str = "branch") -> BranchedStream[K, V]:
        """Begins branching: `.branch(predicate, name=…)…` then `.default_branch()` or `.no_default_branch()`."""
        return BranchedStream[K, V].of(self._builder, self._node, name, caller_origin(), KStream)

    # -- out and on ---------------------------------------------------------------------------------------------------
    def to(
        self,
        topic: str | Callable[[K, V], str] | Expression,
        *,
        key: type[Any] | Serde | Any = None,
        value: type[Any] | Serde | Any = None,
        name: str | None = None,
    ) -> None:
        """Writes the stream to a topic, or to the one that `topic(key, value)` names for each record.

        Key, value, timestamp and headers go out; the partition is Kafka's murmur2 of the key.
        """
        origin = caller_origin()
        schema = self._builder.schema(key, value, self._node.schema, origin)
        if isinstance(topic, str):
            self._builder.check_name("topic", topic, origin)
            target: Any = topic
        else:
            target = user_function(self._builder, "to", topic, ("key", "value"), origin=origin)
        self._then(Sink, name, origin, schema, topic=target)

    def repartition(
        self,
        *,
        name: str | None = None,
        partitions: int | None = None,
        key: type[Any] | Serde | Any = None,
        value: type[Any] | Serde | Any = None,
    ) -> KStream[K, V]:
        """The stream through a topic of its own, partitioned by its key. Null keys are dropped."""
        origin = caller_origin()
        schema = self._builder.schema(key, value, self._node.schema, origin)
        label = self._builder.label(name, self._node, "through")  # a group may have the topic <chain>-repartition
        self._builder.check_name("repartition", label, origin)
        if partitions is not None and partitions < 1:
            self._builder.problem(f"repartition needs at least one partition, got {partitions}", origin)
        node = Repartition(
            parents=(self._node,),
            schema=schema,
            origin=origin,
            label=label,
            topic=self._builder.repartition_topic(label.removesuffix("-repartition")),
            partitions=partitions,
        )
        return KStream(self._builder, self._builder.add(node))

    def to_table(
        self,
        *,
        store: str | None = None,
        key: type[Any] | Serde | Any = None,
        value: type[Any] | Serde | Any = None,
    ) -> KTable[K, V]:
        """The stream read as updates of a table: the newest value of each key; null deletes."""
        origin = caller_origin()
        schema = self._builder.schema(key, value, self._node.schema, origin)
        return KTable(self._builder, materialize(self._builder, self._node, schema, store, "to-table", origin))

    # -- keyed --------------------------------------------------------------------------------------------------------
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
        spec = table.node.store
        if not isinstance(spec, KeyValueSpec):
            self._builder.problem(f"{operator} needs a table with one value per key; a windowed table has none", origin)
            return KStream(self._builder, self._node)
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
            table=spec,
            joiner=function,
            left=left,
        )
        return KStream(self._builder, self._builder.add(node))


def materialize(
    builder: TopologyBuilder, parent: Node, schema: Schema, store: str | None, kind: str, origin: Any
) -> Materialize:
    """Appends the operator that keeps a table's newest values in a store."""
    serde = schema.value_serde()
    name = builder.store_name(store, parent, kind, origin)
    return builder.add(
        Materialize(
            parents=(parent,),
            schema=schema,
            origin=origin,
            label=name,
            spec=KeyValueSpec(name=name, codec=ValueCodec(encode=serde.serialize, decode=serde.deserialize)),
        )
    )
