"""Where a stream goes: to a topic, through a topic of its own, into a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from streams.context import Context
from streams.dsl.ktable import KTable
from streams.dsl.materialize import materialize
from streams.dsl.stream_handle import StreamHandle
from streams.errors import SourceLine
from streams.expressions import Expression
from streams.graph.function import user_function
from streams.graph.origin import caller_origin
from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.serde import Serde
from streams.state import StoreName

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")


class StreamOutputs(StreamHandle[K, V]):
    """`to`, `repartition`, `to_table`."""

    __slots__ = ()

    def to(
        self,
        topic: str | Callable[[K, V], str] | Callable[[K, V, Context], str] | Expression,
        *,
        key: type[Any] | Serde | Any = None,
        value: type[Any] | Serde | Any = None,
        partitioner: Callable[[str, K, V, int], int | Iterable[int] | None] | None = None,
        name: str | None = None,
    ) -> None:
        """Writes the stream to a topic, or to the one that `topic(key, value)` names for each record.

        Key, value, timestamp and headers go out. The partition is Kafka's murmur2 of the key, of a windowed key that
        of its key, or what `partitioner(topic, key, value, number of partitions)` says: a partition, several (none: the
        record goes nowhere), or None for the usual one. Source: `StreamPartitioner`, `WindowedStreamPartitioner`.
        """
        origin = caller_origin()
        schema = self._builder.schema(key, value, self._node.schema, origin)
        if isinstance(topic, str):
            self._builder.check_name("topic", topic, origin)
            target: Any = topic
        elif not callable(topic) and not isinstance(topic, Expression):  # pyright: ignore[reportUnnecessaryIsInstance]
            self._builder.problem(
                f"to needs a topic's name, or a function of (key, value) that gives one, got {topic!r}", origin
            )
            target = "_"
        else:
            target = user_function(self._builder, "to", topic, ("key", "value"), origin=origin)
        self._check_partitioner("to", partitioner, origin)
        self._then(Sink, name, origin, schema, topic=target, partitioner=partitioner)

    def repartition(
        self,
        *,
        name: str | None = None,
        partitions: int | None = None,
        key: type[Any] | Serde | Any = None,
        value: type[Any] | Serde | Any = None,
        partitioner: Callable[[str, K, V, int], int | Iterable[int] | None] | None = None,
    ) -> KStream[K, V]:
        """The stream through a topic of its own, partitioned by its key or by `partitioner`, as in `to`. Null keys are
        dropped."""
        origin = caller_origin()
        schema = self._builder.schema(key, value, self._node.schema, origin)
        label = self._builder.label(name, self._node, "through")  # a group may have the topic <chain>-repartition
        self._builder.check_name("repartition", label, origin)
        if partitions is not None and (not isinstance(partitions, int) or partitions < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
            self._builder.problem(
                f"repartition needs at least one partition, a whole number, got {partitions!r}", origin
            )
        self._check_partitioner("repartition", partitioner, origin)
        node = Repartition(
            parents=(self._node,),
            schema=schema,
            origin=origin,
            label=label,
            topic=self._builder.repartition_topic(label.removesuffix("-repartition")),
            partitions=partitions,
            partitioner=partitioner,
        )
        return self._stream(self._builder.add(node))

    def _check_partitioner(self, operator: str, partitioner: Any, origin: SourceLine | None) -> None:
        if partitioner is not None:
            shape = ("topic", "key", "value", "partitions")
            user_function(
                self._builder, f"{operator}'s partitioner", partitioner, shape, origin=origin, expression=False
            )

    def to_table(
        self,
        *,
        store: StoreName | None = None,
        key: type[Any] | Serde | Any = None,
        value: type[Any] | Serde | Any = None,
    ) -> KTable[K, V]:
        """The stream read as updates of a table: the newest value of each key; null deletes."""
        origin = caller_origin()
        schema = self._builder.schema(key, value, self._node.schema, origin)
        return KTable(self._builder, materialize(self._builder, self._node, schema, store, "to-table", origin))
