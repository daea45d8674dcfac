"""The left side of a foreign-key join, answered: the left row is joined with what the right side told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.table import table_of
from streams.serde.foreign_key import FOUND_AT, HASH, NO_VALUE, RIGHT_VALUE_AT, value_hash


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseJoin(Node):
    """Source: `ResponseJoinProcessorSupplier`.

    Parents are the response topic and the left table. A response to a left value that has changed meanwhile is
    dropped: the new value has asked for one of its own. Without a right row the result is None, in a left join what
    the joiner makes of (left, None). The result has the response's time.
    """

    kind: ClassVar[str] = "foreign-key-join"

    joiner: UserFunction
    right: Schema
    """Of the right table, whose values are in the responses."""
    left: bool = False

    @property
    def heard_parents(self) -> tuple[Node, ...]:
        return self.parents[:1]

    @property
    def looks_into(self) -> tuple[Node, ...]:
        return self.parents[1:]

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        left = table_of(self.parents[1])
        scope, kb = chain.key_bytes(scope.not_null_key())
        scope, response = chain.value(scope)
        row, hashed = left.write_row(chain, scope, kb), chain.local("hashed")
        with chain.at(self, "serialization"):
            written = chain.serialize(left.schema.value_serde(), f"{row}[0]")
            of_value = f"{chain.bind(value_hash, 'value_hash')}({written})"
            chain.line(f"{hashed} = {chain.bind(NO_VALUE, 'NO_VALUE')} if {row} is None else {of_value}")
        with chain.block(f"if {response}[{HASH.start}:{HASH.stop}] == {hashed}:"):
            if "key" in self.joiner.arguments:
                scope, _ = chain.key(scope)  # once, above the branches
            result = chain.local("joined")
            nothing = f"{row} is None" if self.left else f"{row} is None or not {response}[{FOUND_AT}]"
            with chain.block(f"if {nothing}:"):
                chain.line(f"{result} = None")
            if self.left:
                with chain.block(f"elif not {response}[{FOUND_AT}]:"):
                    self._write_joined(chain, scope, result, row, "None")
            with chain.block("else:"):
                value = chain.local("right")
                with chain.at(self, "deserialization"):
                    read = chain.deserialize(self.right.value_serde(), f"{response}[{RIGHT_VALUE_AT}:]")
                    chain.line(f"{value} = {read}")
                self._write_joined(chain, scope, result, row, value)
            made = scope.with_new_value(scope.schema.with_value(self.schema.value), result)
            chain.forward(self, replace(made, old_value=None))

    def _write_joined(self, chain: Chain, scope: RecordScope, result: str, row: str, right: str) -> None:
        _, text = call(chain, scope, self.joiner, {"left": f"{row}[0]", "right": right}, hint="joiner")
        chain.line(f"{result} = {text}")
