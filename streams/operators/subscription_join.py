"""The right side of a foreign-key join, asked: it remembers who subscribed, and answers with the right row."""

from __future__ import annotations

from typing import ClassVar

from stores import KeyValueSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.node import Node
from streams.operators.kept_rows import KeptRows
from streams.operators.table import Table, table_of
from streams.serde import Serde
from streams.serde.foreign_key import FOUND, NOT_FOUND, PRIMARY_KEY_AT, SUBSCRIBER, Instruction, prefix


class SubscriptionJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `SubscriptionReceiveProcessorSupplier`, `SubscriptionJoinProcessorSupplier`.

    Parents are the registration topic and the right table. The time of a response is the later of the left record's
    and the right row's. What it forwards are responses with their partition before them, see `ResponseTopic`.
    """

    kind: ClassVar[str] = "subscription-join"

    spec: KeyValueSpec
    subscriber: Serde
    """Of the store's keys."""
    left: bool = False

    @property
    def store(self) -> KeyValueSpec:
        return self.spec

    @property
    def store_key_serde(self) -> Serde:
        return self.subscriber

    @property
    def heard_parents(self) -> tuple[Node, ...]:
        return self.parents[:1]

    @property
    def looks_into(self) -> tuple[Node, ...]:
        return self.parents[1:]

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        right = table_of(self.parents[1])
        rows = KeptRows.of(chain, self.spec, "subscribers")
        scope, fk = chain.key_bytes(scope)
        scope, message = chain.value(scope)
        instruction, subscriber, primary = chain.local("instruction"), chain.local("subscriber"), chain.local("pk")
        chain.line(f"{instruction} = {message}[1]")
        chain.line(f"{subscriber} = {message}[{SUBSCRIBER.start}:{SUBSCRIBER.stop}]")
        chain.line(f"{primary} = {message}[{PRIMARY_KEY_AT}:]")
        if self.left:
            with chain.block(f"if {fk} is not None:"):
                self._write_subscriber(chain, scope, rows, fk, instruction, subscriber, primary)
        else:
            self._write_subscriber(chain, scope, rows, fk, instruction, subscriber, primary)
        with chain.block(f"if {instruction} != {Instruction.DELETE_NO_PROPAGATE:d}:"):
            found = self._write_found(chain, scope, right, fk)
            with chain.block(f"if {found} is not None or {instruction} != {Instruction.PROPAGATE_ONLY_IF_FOUND:d}:"):
                self._write_response(chain, scope, right, found, instruction, subscriber, primary)

    @staticmethod
    def _write_subscriber(
        chain: Chain, scope: RecordScope, rows: KeptRows, fk: str, instruction: str, subscriber: str, primary: str
    ) -> None:
        """Code that remembers or forgets who asks."""
        gone = f"{instruction} < {Instruction.PROPAGATE_NULL_IF_NONE:d}"
        place = f"{chain.bind(prefix, 'subscribers_of')}({fk}) + {primary}"
        chain.line(f"{rows.dirty}[{place}] = None if {gone} else ({subscriber}, {scope.timestamp})")

    def _write_found(self, chain: Chain, scope: RecordScope, right: Table, fk: str) -> str:
        """A local with the right row of the foreign key, or None."""
        if not self.left:
            return right.write_row(chain, scope.not_null_key(), fk)
        found = chain.local("found")
        with chain.block(f"if {fk} is None:"):
            chain.line(f"{found} = None")
        with chain.block("else:"):
            row = right.write_row(chain, scope.not_null_key(), fk)
            chain.line(f"{found} = {row}")
        return found

    def _write_response(
        self,
        chain: Chain,
        scope: RecordScope,
        right: Table,
        found: str,
        instruction: str,
        subscriber: str,
        primary: str,
    ) -> None:
        response, time = chain.local("response"), chain.local("join_time")
        there, not_found = chain.bind(FOUND, "FOUND"), chain.bind(NOT_FOUND, "NOT_FOUND")
        with chain.block(f"if {found} is None:"):
            chain.line(f"{response}, {time} = {subscriber} + {not_found}, {scope.timestamp}")
        with chain.block("else:"):
            chain.line(f"{time} = {found}[1] if {found}[1] > {scope.timestamp} else {scope.timestamp}")
            with chain.block(f"if {instruction} == {Instruction.DELETE_AND_PROPAGATE:d}:"):
                chain.line(f"{response} = {subscriber} + {not_found}")
            with chain.block("else:"), chain.at(self, "serialization"):
                value = chain.serialize(right.schema.value_serde(), f"{found}[0]")
                chain.line(f"{response} = {subscriber} + {there} + {value}")
        made = RecordScope(
            schema=self.schema,
            timestamp=time,
            headers=scope.headers,
            message=scope.message,
            key=primary,
            key_bytes=primary,
            value=response,
        )
        chain.forward(self, made.not_null_key())
