"""The way back of a foreign-key join: responses go to the partition that the left row lies in."""

from __future__ import annotations

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.repartition import Repartition
from streams.serde.foreign_key import partition_of


class ResponseTopic(Repartition, frozen=True, kw_only=True, eq=False):
    """Source: the sink of `KTableImpl.doJoinOnForeignKey`, whose partitioner takes `getPrimaryPartition`.

    What reaches it are serialised primary keys, and responses with the partition before them, which stays behind: so
    the left table may be partitioned in whatever way.
    """

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, key = chain.key(scope)
        scope, response = chain.value(scope)
        partition = f"{chain.bind(partition_of, 'partition_of')}({response})"
        send = f"({self.topic!r}, {response}[4:], {key}, {partition}, None, None, {scope.timestamp}, {scope.headers})"
        with chain.block("try:"):
            chain.line(f"produce{send}")
        with chain.block("except BufferError:"):
            chain.line(f"produce_full{send}")
