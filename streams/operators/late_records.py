"""The records that came too late for a windowed aggregation, as a stream of their own."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node


class LateRecords(Node, frozen=True, kw_only=True, eq=False):
    """Source: none in Kafka Streams; Flink's `sideOutputLateData`. Forwards the records as they reached its parent."""

    kind: ClassVar[str] = "late"
    takes_late: ClassVar[bool] = True

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        chain.forward(self, scope)
