"""`to_stream`: the updates of a table as a stream; a deletion is a record with a null value."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node


class ToStream(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KTableToStream`."""

    kind: ClassVar[str] = "to-stream"

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        chain.forward(self, replace(scope, old_value=None, latest=None))
