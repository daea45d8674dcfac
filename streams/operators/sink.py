"""`to`: writes records to a topic."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.operators.places import Partitioner, Places
from streams.partitioner import KeyPartitions, KeyPartitionsByTopic
from streams.serde import Role
from streams.serde.by_topic import SerializerByTopic


class Sink(Node, frozen=True, kw_only=True, eq=False):
    """Source: `SinkNode`. `topic` is a name or a function of (key, value) that gives one.

    Key, value, timestamp and headers go out as they are; the partition is what `partitioner` says, else Kafka's murmur2
    of the key's bytes, of a windowed key without those of the window. `schema` says with which serdes.
    """

    kind: ClassVar[str] = "sink"

    topic: str | UserFunction
    partitioner: Partitioner | None = None

    @property
    def emits(self) -> bool:
        return False

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        told = not isinstance(self.topic, str)
        if isinstance(self.topic, str):
            topic = repr(self.topic)
        else:
            scope, text = call(chain, scope, self.topic, hint="topic_of")
            topic = chain.local("topic")
            chain.line(f"{topic} = {text}")
        window_bytes = self.schema.key_serde().window_bytes
        write_send(chain, scope, self, topic, told=told, partitioner=self.partitioner, window_bytes=window_bytes)


def _for_topic(chain: Chain, scope: RecordScope, node: Node, topic: str, role: Role) -> tuple[RecordScope, str]:
    """The local with the serialised key or value for a topic that the record itself tells."""
    serde = node.schema.key_serde() if role == "key" else node.schema.value_serde()
    if serde.bind is None:
        under = chain.key_bytes_under if role == "key" else chain.value_bytes_under
        return under(scope, node.schema)
    scope, part = chain.key(scope) if role == "key" else chain.value(scope)
    written = chain.local("kb" if role == "key" else "vb")
    serialize = chain.bind(SerializerByTopic(serde, role), f"serialize_{serde.name}_for_topic")
    chain.line(f"{written} = None if {part} is None else {serialize}({topic}, {part})")
    return scope, written


def write_send(
    chain: Chain,
    scope: RecordScope,
    node: Node,
    topic: str,
    *,
    told: bool = False,
    partitioner: Partitioner | None = None,
    window_bytes: int = 0,
) -> None:
    """Code that serialises the record under `node.schema` and sends it to the topic whose text is `topic`; `told`: the
    record told it."""
    places = ""
    if partitioner is not None:
        scope, decoded_key = chain.key(scope)
        scope, decoded_value = chain.value(scope)
        made = f"{chain.bind(Places, 'Places')}({chain.bind(partitioner, 'partitioner')}, partitions)"
        ask, places = chain.of_task("places_of", made), chain.local("places")
        with chain.at(node):
            chain.line(f"{places} = {ask}({topic}, {decoded_key}, {decoded_value})")
    inner = scope.inner_key_bytes if scope.schema.key_serde() == node.schema.key_serde() else None
    with chain.at(node, "serialization"):
        if told:
            scope, key = _for_topic(chain, scope, node, topic, "key")
            scope, value = _for_topic(chain, scope, node, topic, "value")
        else:
            scope, key = chain.key_bytes_under(scope, node.schema)
            scope, value = chain.value_bytes_under(scope, node.schema)
    if places:
        with chain.block(f"for place in {places}:"):
            _write_produce(chain, scope, node, topic, key, value, "place")
    elif window_bytes:
        known = _places_of_keys(chain, topic, told)
        place = f"{known}[{inner or f'{key}[:-{window_bytes}]'}]"
        if not scope.key_not_null:
            place = f"-1 if {key} is None else {place}"
        _write_produce(chain, scope, node, topic, key, value, place)
    else:
        _write_produce(chain, scope, node, topic, key, value, "-1")


def _places_of_keys(chain: Chain, topic: str, told: bool) -> str:
    """The text of what tells the partition of a key's bytes. A windowed key lies where its key does: all windows of a
    key on one partition, in their order."""
    if told:
        by_topic = chain.of_task("places", f"{chain.bind(KeyPartitionsByTopic, 'KeyPartitionsByTopic')}(partitions)")
        return f"{by_topic}[{topic}]"
    return chain.of_task("places", f"{chain.bind(KeyPartitions, 'KeyPartitions')}({topic}, partitions)")


def _write_produce(chain: Chain, scope: RecordScope, node: Node, topic: str, key: str, value: str, place: str) -> None:
    time = scope.timestamp if scope.timestamp.isidentifier() else f"({scope.timestamp})"
    send = f"({topic}, {value}, {key}, {place}, None, None, {time} or least_time, {scope.headers})"
    with chain.at(node, "production"):
        with chain.block("try:"):
            chain.line(f"produce{send}")
        with chain.block("except BufferError:"):
            chain.line(f"produce_full{send}")
