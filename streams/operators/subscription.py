"""How the left side of a foreign-key join asks the right one: code that makes the messages of subscriptions."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.serde.foreign_key import NO_VALUE, Instruction, shape_of, subscription_head, value_hasher


class Subscription(Struct, frozen=True, kw_only=True):
    """What both operators of the left side know: `left` is the schema of the left table, `asked` that of the messages
    under their foreign keys, `topic` where these go."""

    left: Schema
    asked: Schema
    extractor: UserFunction
    topic: str

    def write_foreign_key(
        self, chain: Chain, node: Node, scope: RecordScope, value: str, text: str
    ) -> tuple[RecordScope, str]:
        """A local with the serialised foreign key of `text`, a row's value, None if it has none.

        `value` is the local that is None where there is no such row.
        """
        seen, of_value = call(chain, scope.with_new_value(self.left, text), self.extractor, hint="foreign_key_of")
        found, written = chain.local("fk"), chain.local("fkb")
        chain.line(f"{found} = None if {value} is None else {of_value}")
        with chain.at(node, "serialization"):
            serialized = chain.serialize(self.asked.key_serde(), found)
            chain.line(f"{written} = None if {found} is None else {serialized}")
        return replace(scope, key=seen.key), written

    def write_hash(self, chain: Chain, node: Node, value: str, text: str) -> str:
        """A local with the hash of `text`, a row's value. `value`: as above."""
        hashed = chain.local("hashed")
        with chain.at(node, "serialization"):
            no_value = chain.bind(NO_VALUE, "NO_VALUE")
            chain.line(f"{hashed} = {no_value} if {value} is None else {self._hasher(chain)}({text})")
        return hashed

    def message(
        self, chain: Chain, scope: RecordScope, instruction: Instruction, *, foreign_key: str, rest: str
    ) -> RecordScope:
        """The scope in which a subscription goes to its topic. `foreign_key` is a local; `rest` the text of the hash
        and the serialised primary key, one behind the other."""
        message = chain.local("message")
        chain.line(f"{message} = {self._head(chain, instruction)} + {rest}")
        return RecordScope(
            schema=self.asked,
            timestamp=scope.timestamp,
            headers=scope.headers,
            message=scope.message,
            key_bytes=foreign_key,
            value_bytes=message,
        )

    def _hasher(self, chain: Chain) -> str:
        names, at = chain.module.states, (id(self), "hash")
        if at not in names:
            names[at] = chain.bind(value_hasher(self.left.value_serde()), "value_hash")
        return names[at]

    def _head(self, chain: Chain, instruction: Instruction) -> str:
        """The name of the task's head for an instruction."""
        names, at = chain.module.states, (id(self), instruction)
        if at not in names:
            function, given = (
                chain.bind(subscription_head, "subscription_head"),
                chain.bind(instruction, instruction.name),
            )
            shape = shape_of(self.left.value_serde())
            head = f"{function}({given}, binding.task_id.partition, {shape!r})"
            names[at] = chain.of_task(instruction.name.lower(), head)
        return names[at]
