"""What brings the inputs of a cogroup together: one table from several grouped streams."""

from __future__ import annotations

from typing import ClassVar

from stores import StoreSpec, VersionedSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.table import Table, table_of


class Cogroup(Table, frozen=True, kw_only=True, eq=False):
    """Source: `COGROUPKSTREAM-MERGE`. Each parent is an aggregation over one input; all keep their aggregates in the
    same store, and what any of them forwards is forwarded."""

    kind: ClassVar[str] = "cogroup"

    spec: StoreSpec

    @property
    def store(self) -> StoreSpec:
        return self.spec

    @property
    def knows_old(self) -> bool:
        return False  # its inputs keep the rows

    @property
    def hears_latest(self) -> bool:
        return isinstance(self.spec, VersionedSpec)

    @property
    def hears_old(self) -> bool:
        return self.sends_old

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        chain.forward(self, scope)

    def write_row(self, chain: Chain, scope: RecordScope, kb: str, as_of: str | None = None) -> str:
        return table_of(self.parents[0]).write_row(chain, scope, kb, as_of)
