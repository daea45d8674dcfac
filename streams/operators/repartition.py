"""`repartition`, and what the repartition pass puts before a key-dependent operator: a trip through a topic.

The node cuts the topology: it is the sink of the sub-topology above and the source of the one below.
"""

from __future__ import annotations

from typing import ClassVar

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.places import Partitioner
from streams.operators.sink import write_send


class Repartition(Node, frozen=True, kw_only=True, eq=False):
    """Source: `UnoptimizableRepartitionNode`.

    `topic` is the full name; `partitions` None takes the most of the topics upstream. Null keys are dropped unless
    `keeps_null_keys` (a left join that accepts them lies downstream). `partitioner` None: Kafka's murmur2 of the key.
    """

    kind: ClassVar[str] = "repartition"

    topic: str = ""
    partitions: int | None = None
    keeps_null_keys: bool = False
    partitioner: Partitioner | None = None

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        if self.keeps_null_keys:
            write_send(chain, scope, self, repr(self.topic), partitioner=self.partitioner)
            return
        scope, key = chain.key_bytes(scope) if scope.key_bytes is not None else chain.key(scope)
        with chain.block(f"if {key} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            write_send(chain, scope.not_null_key(), self, repr(self.topic), partitioner=self.partitioner)
