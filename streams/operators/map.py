"""`map`: a new key and a new value for each record."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class Map(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamMap`. The function returns a pair (key, value)."""

    kind: ClassVar[str] = "map"
    result_rule: ClassVar[str | None] = "map needs a function that returns a pair (key, value)"
    changes_key: ClassVar[bool] = True

    mapper: UserFunction

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, text = call(chain, scope, self.mapper, hint="mapper")
        key, value = chain.local("key"), chain.local("value")
        chain.line(f"{key}, {value} = {text}")
        chain.forward(self, scope.with_new_key(self.schema, key).with_new_value(self.schema, value))
