"""`filter` and `filter_not`: keeps the records a predicate holds (does not hold) for."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class Filter(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamFilter`. Null keys and values are passed to the predicate like any other."""

    kind: ClassVar[str] = "filter"

    predicate: UserFunction
    negate: bool = False

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, condition = call(chain, scope, self.predicate, hint="predicate")
        with chain.block(f"if not {condition}:" if self.negate else f"if {condition}:"):
            chain.forward(self, scope)
