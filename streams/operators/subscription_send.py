"""The left side of a foreign-key join: each row subscribes to the right row that it refers to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node, OldValues
from streams.operators.table import table_of
from streams.serde.foreign_key import NO_VALUE, Instruction, subscription_head, value_hash


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubscriptionSend(Node):
    """Source: `SubscriptionSendProcessorSupplier`, with the null foreign keys of KAFKA-16407 and KAFKA-16434.

    A row whose foreign key changed, also to none, unsubscribes from the old one. An inner join subscribes only with a
    foreign key, and asks for a null only where there may be a result to take back. A left join always asks for an
    answer; without a foreign key anybody on the right gives it.
    """

    kind: ClassVar[str] = "subscription-send"

    extractor: UserFunction
    left: bool = False

    @property
    def old_values(self) -> OldValues:
        return "needed"

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        old = str(scope.old_value)
        scope, _ = chain.key_bytes_under(scope, table_of(self.parents[0]).schema)
        scope, value = chain.value(scope.not_null_key())
        if self.left:
            with chain.block(f"if {value} is not None or {old} is not None:"):
                self._write_left(chain, scope, value, old)
        else:
            self._write_inner(chain, scope, value, old)

    def _write_inner(self, chain: Chain, scope: RecordScope, value: str, old: str) -> None:
        scope, new_key = self._write_foreign_key(chain, scope, value)
        scope, old_key = self._write_foreign_key(chain, scope, old)
        with chain.block(f"if {new_key} is None:"):
            with chain.block(f"if {value} is not None:"):
                chain.line("counters.dropped_null_key += 1")
            with chain.block(f"if {old_key} is not None:"):
                rest = self._write_rest(chain, scope, value, maybe_none=True)
                self._send(chain, scope, old_key, Instruction.DELETE_AND_PROPAGATE, rest)
        with chain.block("else:"):
            rest = self._write_rest(chain, scope, value, maybe_none=False)
            with chain.block(f"if {old_key} is None or {old_key} == {new_key}:"):
                self._send(chain, scope, new_key, Instruction.PROPAGATE_ONLY_IF_FOUND, rest)
            with chain.block("else:"):
                self._send(chain, scope, old_key, Instruction.DELETE_NO_PROPAGATE, rest)
                self._send(chain, scope, new_key, Instruction.PROPAGATE_NULL_IF_NONE, rest)

    def _write_left(self, chain: Chain, scope: RecordScope, value: str, old: str) -> None:
        scope, new_key = self._write_foreign_key(chain, scope, value)
        scope, old_key = self._write_foreign_key(chain, scope, old)
        rest = self._write_rest(chain, scope, value, maybe_none=True)
        with chain.block(f"if {old_key} is not None and {old_key} != {new_key}:"):
            self._send(chain, scope, old_key, Instruction.DELETE_NO_PROPAGATE, rest)
        self._send(chain, scope, new_key, Instruction.PROPAGATE_NULL_IF_NONE, rest)

    def _write_foreign_key(self, chain: Chain, scope: RecordScope, value: str) -> tuple[RecordScope, str]:
        """A local with the serialised foreign key of the value in a local, None if it has none."""
        seen, text = call(chain, scope.with_new_value(scope.schema, value), self.extractor, hint="foreign_key_of")
        found = chain.local("fk")
        chain.line(f"{found} = None if {value} is None else {text}")
        with chain.at(self, "serialization"):
            written = chain.local("fkb")
            serialized = chain.serialize(self.schema.key_serde(), found)
            chain.line(f"{written} = None if {found} is None else {serialized}")
        return replace(scope, key=seen.key), written

    def _write_rest(self, chain: Chain, scope: RecordScope, value: str, *, maybe_none: bool) -> str:
        """A local with what follows the head of a subscription: the hash of the value, and the primary key."""
        left, rest = table_of(self.parents[0]).schema, chain.local("rest")
        scope, kb = chain.key_bytes_under(scope, left)
        with chain.at(self, "serialization"):
            hashed = f"{chain.bind(value_hash, 'value_hash')}({chain.serialize(left.value_serde(), value)})"
            if maybe_none:
                hashed = f"({chain.bind(NO_VALUE, 'NO_VALUE')} if {value} is None else {hashed})"
            chain.line(f"{rest} = {hashed} + {kb}")
        return rest

    def _send(self, chain: Chain, scope: RecordScope, foreign_key: str, instruction: Instruction, rest: str) -> None:
        head, message = self._head(chain, instruction), chain.local("message")
        chain.line(f"{message} = {head} + {rest}")
        sent = RecordScope(
            schema=self.schema,
            timestamp=scope.timestamp,
            headers=scope.headers,
            message=scope.message,
            key_bytes=foreign_key,
            value_bytes=message,
        )
        chain.forward(self, sent)

    def _head(self, chain: Chain, instruction: Instruction) -> str:
        """The name of the task's head for an instruction."""
        heads, at = chain.module.states, (id(self), instruction)
        if at not in heads:
            function = chain.bind(subscription_head, "subscription_head")
            given = chain.bind(instruction, instruction.name)
            heads[at] = chain.of_task(instruction.name.lower(), f"{function}({given}, binding.task_id.partition)")
        return heads[at]
