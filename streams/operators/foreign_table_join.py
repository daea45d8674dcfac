"""The right side of a foreign-key join, changed: each subscriber of the row is told its new value."""

from __future__ import annotations

from typing import ClassVar

from stores import KeyValueSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node, OldValues
from streams.operators.materialize import Materialize
from streams.operators.table import latest_only, table_of
from streams.serde.foreign_key import DELETED, FOUND, prefix


class ForeignTableJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `ForeignTableJoinProcessorSupplier`.

    Responses are in the order of the primary keys' bytes and have the right record's time. `subscribers` is the store
    that `SubscriptionJoin` keeps. What it forwards are responses with their partition before them.
    """

    kind: ClassVar[str] = "foreign-table-join"

    subscribers: KeyValueSpec

    @property
    def connected_stores(self) -> tuple[str, ...]:
        return (self.subscribers.name,)

    @property
    def old_values(self) -> OldValues:
        # they are not used, but decide what a filter above forwards, as in Kafka Streams; a table of a topic has no use
        # for them either, and is spared the look-up of a row that may lie on disk
        return "ignored" if isinstance(self.parents[0], Materialize) else "needed"

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        with latest_only(chain, scope) as scope:
            self._write_change(chain, scope)

    def _write_change(self, chain: Chain, scope: RecordScope) -> None:
        right = table_of(self.parents[0]).schema
        scan = chain.of_task("scan_subscribers", f"stores[{self.subscribers.name!r}].prefix")
        scope, fk = chain.key_bytes_under(scope, right)
        scope, value = chain.value(scope)
        begin, tail, size = chain.local("begin"), chain.local("tail"), chain.local("size")
        found, place = chain.local("found"), chain.local("place")
        subscriber, since, headers = chain.local("subscriber"), chain.local("since"), chain.local("own_headers")
        chain.line(f"{begin} = {chain.bind(prefix, 'subscribers_of')}({fk})")
        chain.line(f"{size}, {tail} = len({begin}), None")
        with (
            chain.block(f"with {scan}({begin}) as {found}:"),
            chain.block(f"for {place}, ({subscriber}, {since}) in {found}:"),
        ):
            with chain.block(f"if {tail} is None:"), chain.at(self, "serialization"):  # most rows have no subscriber
                chain.line(f"{headers} = {scope.headers}")
                there, deleted = chain.bind(FOUND, "FOUND"), chain.bind(DELETED, "DELETED")
                written = chain.serialize(right.value_serde(), value)
                chain.line(f"{tail} = {deleted} if {value} is None else {there} + {written}")
            primary, response = chain.local("pk"), chain.local("response")
            chain.line(f"{primary}, {response} = {place}[{size}:], {subscriber} + {tail}")
            made = RecordScope(
                schema=self.schema,
                timestamp=scope.timestamp,
                headers=headers,
                message=scope.message,
                key=primary,
                key_bytes=primary,
                value=response,
            )
            chain.forward(self, made.not_null_key())
