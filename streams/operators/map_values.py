"""`map_values`: one new value for each record; the key stays, and with it the partition."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class MapValues(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamMapValues`. Null values are passed to the function."""

    kind: ClassVar[str] = "map-values"

    mapper: UserFunction

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, text = call(chain, scope, self.mapper, hint="mapper")
        value = chain.local("value")
        chain.line(f"{value} = {text}")
        chain.forward(self, scope.with_new_value(scope.schema.with_value(self.schema.value), value))
