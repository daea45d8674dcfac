"""`flat_map` and `flat_map_values`: any number of records for each one."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class FlatMap(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamFlatMap`. The function returns an iterable of (key, value) pairs."""

    kind: ClassVar[str] = "flat-map"
    result_rule: ClassVar[str | None] = (
        "flat_map needs a function that returns an iterable of pairs (key, value): an empty list for no record"
    )
    changes_key: ClassVar[bool] = True

    mapper: UserFunction

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, text = call(chain, scope, self.mapper, hint="mapper")
        key, value = chain.local("key"), chain.local("value")
        with chain.block(f"for {key}, {value} in {text}:"):
            chain.forward(self, scope.with_new_key(self.schema, key).with_new_value(self.schema, value))


class FlatMapValues(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamFlatMapValues`. The function returns an iterable of values; each keeps the record's key."""

    kind: ClassVar[str] = "flat-map-values"
    result_rule: ClassVar[str | None] = (
        "flat_map_values needs a function that returns an iterable of values: an empty list for no record"
    )

    mapper: UserFunction

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, text = call(chain, scope, self.mapper, hint="mapper")
        value = chain.local("value")
        with chain.block(f"for {value} in {text}:"):
            chain.forward(self, scope.with_new_value(scope.schema.with_value(self.schema.value), value))
