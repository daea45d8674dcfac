"""`to`: writes records to a topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.serde import Role
from streams.serde.by_topic import SerializerByTopic


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sink(Node):
    """Source: `SinkNode`. `topic` is a name or a function of (key, value) that gives one.

    Key, value, timestamp and headers go out as they are; the partition is Kafka's murmur2 of the key's bytes.
    `schema` says with which serdes.
    """

    kind: ClassVar[str] = "sink"

    topic: str | UserFunction

    @property
    def emits(self) -> bool:
        return False

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        if isinstance(self.topic, str):
            write_send(chain, scope, self, repr(self.topic))
        else:
            scope, topic = call(chain, scope, self.topic, hint="topic_of")
            write_send(chain, scope, self, topic, told=True)


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


def write_send(chain: Chain, scope: RecordScope, node: Node, topic: str, *, told: bool = False) -> None:
    """Code that serialises the record under `node.schema` and sends it to the topic whose text is `topic`; `told`: the
    record told it."""
    with chain.at(node, "serialization"):
        if told:
            scope, key = _for_topic(chain, scope, node, topic, "key")
            scope, value = _for_topic(chain, scope, node, topic, "value")
        else:
            scope, key = chain.key_bytes_under(scope, node.schema)
            scope, value = chain.value_bytes_under(scope, node.schema)
    send = f"({topic}, {value}, {key}, -1, None, None, {scope.timestamp}, {scope.headers})"
    with chain.block("try:"):
        chain.line(f"produce{send}")
    with chain.block("except BufferError:"):
        chain.line(f"produce_full{send}")
