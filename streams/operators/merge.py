"""`merge`: the records of two streams as one; no order between them."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node


class Merge(Node, frozen=True, kw_only=True, eq=False):
    """Source: `PassThrough` as `merge` uses it. Where both inputs come together it is a generated function."""

    kind: ClassVar[str] = "merge"

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        chain.forward(self, scope)
