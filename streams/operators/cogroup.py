"""What brings the inputs of a cogroup together: one table from several grouped streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stores import StoreSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cogroup(Node):
    """Source: `COGROUPKSTREAM-MERGE`. Each parent is an aggregation over one input; all keep their aggregates in the
    same store, and what any of them forwards is forwarded."""

    kind: ClassVar[str] = "cogroup"

    spec: StoreSpec

    @property
    def store(self) -> StoreSpec:
        return self.spec

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        chain.forward(self, scope)
