"""The left side of a foreign-key join, answered: the left row is joined with what the right side told."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.graph.schema import Schema
from streams.operators.repartition import Repartition
from streams.operators.subscription import Subscription
from streams.operators.table import table_of
from streams.serde.foreign_key import (
    ANSWER_AT,
    FOUND,
    HASH,
    NOT_FOUND,
    RIGHT_VALUE_AT,
    SHAPE,
    Instruction,
    shape_of,
)


class ResponseJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `ResponseJoinProcessorSupplier`.

    Parents are the response topic and the left table. Without a right row the result is None, in a left join what the
    joiner makes of (left, None). The result has the response's time. A response to a left value that has changed
    meanwhile is stale and makes no result; the new value has asked for a response of its own.

    Two things are not so in Kafka Streams, whose results can stay behind for ever:

    - In an inner join the new value may have asked to be answered only if there is a right row, as it need not take
      back a result of its own; the result of the value before it is then taken back by nobody, because the response
      that says so is stale. So if that is what the response says, the row asks again, now for an answer in any case;
      and a row that refers to nothing any more has no result.
    - If the type of the left values has changed since the subscription, hashes do not compare, and the row asks again.

    Such questions go out with the later of the row's and the response's time; watermarks do not wait for them.
    """

    kind: ClassVar[str] = "foreign-key-join"

    joiner: UserFunction
    subscription: Subscription
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
        scope, kb = chain.key_bytes(scope.not_null_key())
        scope, response = chain.value(scope)
        row = table_of(self.parents[1]).write_row(chain, scope, kb)
        if "key" in {*self.joiner.arguments, *self.subscription.extractor.arguments}:
            scope, _ = chain.key(scope)  # once, above the branches
        hashed = self.subscription.write_hash(chain, self, row, f"{row}[0]")
        told, result = chain.local("told"), chain.local("joined")
        chain.line(f"{told} = {response}[{HASH.start}:{HASH.stop}] == {hashed}")
        with chain.block(f"if {told}:"):
            self._write_result(chain, scope, result, row, response)
        self._write_stale(chain, scope, result, row, response, told, f"{hashed} + {kb}")
        with chain.block(f"if {told}:"):
            made = scope.with_new_value(scope.schema.with_value(self.schema.value), result)
            chain.forward(self, replace(made, old_value=None))

    def _write_result(self, chain: Chain, scope: RecordScope, result: str, row: str, response: str) -> None:
        missing = f"{response}[{ANSWER_AT}] != {FOUND[0]}"
        with chain.block(f"if {row} is None:" if self.left else f"if {row} is None or {missing}:"):
            chain.line(f"{result} = None")
        if self.left:
            with chain.block(f"elif {missing}:"):
                self._write_joined(chain, scope, result, row, "None")
        with chain.block("else:"):
            value = chain.local("right")
            with chain.at(self, "deserialization"):
                read = chain.deserialize(self.right.value_serde(), f"{response}[{RIGHT_VALUE_AT}:]")
                chain.line(f"{value} = {read}")
            self._write_joined(chain, scope, result, row, value)

    def _write_joined(self, chain: Chain, scope: RecordScope, result: str, row: str, right: str) -> None:
        _, text = call(chain, scope, self.joiner, {"left": f"{row}[0]", "right": right}, hint="joiner")
        chain.line(f"{result} = {text}")

    def _write_stale(
        self, chain: Chain, scope: RecordScope, result: str, row: str, response: str, told: str, rest: str
    ) -> None:
        """Code for a response to another value; it sets `told` and `result` if there is a result nevertheless."""
        shape = shape_of(self.subscription.left.value_serde())
        incomparable = f"{response}[{SHAPE.start}:{SHAPE.stop}] != {shape!r}"
        if self.left:
            with chain.block(f"elif {row} is not None and {incomparable}:"):
                _, foreign_key = self.subscription.write_foreign_key(chain, self, scope, row, f"{row}[0]")
                self._write_question(chain, scope, row, foreign_key, rest)
            return
        with chain.block(f"elif {response}[{ANSWER_AT}] != {FOUND[0]} or {incomparable}:"):
            _, foreign_key = self.subscription.write_foreign_key(chain, self, scope, row, f"{row}[0]")
            with chain.block(f"if {foreign_key} is not None:"):
                self._write_question(chain, scope, row, foreign_key, rest)
            with chain.block(f"elif {response}[{ANSWER_AT}] == {NOT_FOUND[0]}:"):
                chain.line(f"{told}, {result} = True, None")

    def _write_question(self, chain: Chain, scope: RecordScope, row: str, foreign_key: str, rest: str) -> None:
        """Code that subscribes anew, for an answer in any case."""
        topic, time = self.subscription.topic, chain.local("time")
        chain.line(f"{time} = {row}[1] if {row}[1] > {scope.timestamp} else {scope.timestamp}")
        asking = replace(scope, timestamp=time)
        registration = next(n for n in chain.module.nodes if isinstance(n, Repartition) and n.topic == topic)
        message = self.subscription.message(
            chain, asking, Instruction.PROPAGATE_NULL_IF_NONE, foreign_key=foreign_key, rest=rest
        )
        with chain.at(registration):
            registration.write(chain, message, self)
