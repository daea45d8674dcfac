"""The left side of a foreign-key join: each row subscribes to the right row that it refers to."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.node import Node, OldValues
from streams.operators.subscription import Subscription
from streams.operators.table import latest_only
from streams.serde.foreign_key import Instruction


class SubscriptionSend(Node, frozen=True, kw_only=True, eq=False):
    """Source: `SubscriptionSendProcessorSupplier`, with the null foreign keys of KAFKA-16407 and KAFKA-16434.

    A row whose foreign key changed, also to none, unsubscribes from the old one. An inner join subscribes only with a
    foreign key, and asks for a null only where there may be a result to take back. A left join always asks for an
    answer; without a foreign key anybody on the right gives it.
    """

    kind: ClassVar[str] = "subscription-send"

    subscription: Subscription
    left: bool = False

    @property
    def old_values(self) -> OldValues:
        return "needed"

    @property
    def expressions(self) -> tuple[Expression, ...]:
        extractor = self.subscription.extractor.target
        return (extractor,) if isinstance(extractor, Expression) else ()

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        with latest_only(chain, scope) as scope:
            self._write_change(chain, scope)

    def _write_change(self, chain: Chain, scope: RecordScope) -> None:
        old = str(scope.old_value)
        scope, _ = chain.key_bytes_under(scope, self.subscription.left)
        scope, value = chain.value(scope.not_null_key())
        if self.left:
            with chain.block(f"if {value} is not None or {old} is not None:"):
                self._write_left(chain, scope, value, old)
        else:
            self._write_inner(chain, scope, value, old)

    def _write_inner(self, chain: Chain, scope: RecordScope, value: str, old: str) -> None:
        scope, new_key, old_key = self._write_foreign_keys(chain, scope, value, old)
        with chain.block(f"if {new_key} is None:"):
            with chain.block(f"if {value} is not None:"):
                chain.line("counters.dropped_null_key += 1")
            with chain.block(f"if {old_key} is not None:"):
                rest = self._write_rest(chain, scope, value)
                self._send(chain, scope, old_key, Instruction.DELETE_AND_PROPAGATE, rest)
        with chain.block("else:"):
            rest = self._write_rest(chain, scope, value)
            with chain.block(f"if {old_key} is None or {old_key} == {new_key}:"):
                self._send(chain, scope, new_key, Instruction.PROPAGATE_ONLY_IF_FOUND, rest)
            with chain.block("else:"):
                self._send(chain, scope, old_key, Instruction.DELETE_NO_PROPAGATE, rest)
                self._send(chain, scope, new_key, Instruction.PROPAGATE_NULL_IF_NONE, rest)

    def _write_left(self, chain: Chain, scope: RecordScope, value: str, old: str) -> None:
        scope, new_key, old_key = self._write_foreign_keys(chain, scope, value, old)
        rest = self._write_rest(chain, scope, value)
        with chain.block(f"if {old_key} is not None and {old_key} != {new_key}:"):
            self._send(chain, scope, old_key, Instruction.DELETE_NO_PROPAGATE, rest)
        self._send(chain, scope, new_key, Instruction.PROPAGATE_NULL_IF_NONE, rest)

    def _write_foreign_keys(
        self, chain: Chain, scope: RecordScope, value: str, old: str
    ) -> tuple[RecordScope, str, str]:
        """Locals with the serialised foreign keys of the new and the old value."""
        scope, new_key = self.subscription.write_foreign_key(chain, self, scope, value, value)
        scope, old_key = self.subscription.write_foreign_key(chain, self, scope, old, old)
        return scope, new_key, old_key

    def _write_rest(self, chain: Chain, scope: RecordScope, value: str) -> str:
        """A local with the hash of the value, and the primary key."""
        hashed, rest = self.subscription.write_hash(chain, self, value, value), chain.local("rest")
        chain.line(f"{rest} = {hashed} + {scope.key_bytes}")
        return rest

    def _send(self, chain: Chain, scope: RecordScope, foreign_key: str, instruction: Instruction, rest: str) -> None:
        message = self.subscription.message(chain, scope, instruction, foreign_key=foreign_key, rest=rest)
        chain.forward(self, message)
