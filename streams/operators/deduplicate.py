"""`deduplicate`: the first record of its kind passes, its repetitions within a stretch of event time do not."""

from __future__ import annotations

from typing import ClassVar

from stores import WindowSpec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.clock import operator_clock
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.serde import Bytes, Serde


class Deduplicate(Node, frozen=True, kw_only=True, eq=False):
    """A record is dropped if one with the same identity was passed on whose time is less than `within_ms` away, before
    or after. The identity is the key, with what `identity` gives, if it is there; where that is None the record passes.
    Null keys are dropped and counted.

    The store has a row per passed record: window start is its time, and retention is twice `within_ms`, by the
    operator's clock. So records up to `within_ms` late are judged exactly; older ones pass if nothing is remembered of
    their time, and are not remembered themselves once they are out of retention.
    Source: KIP-655 (not released in Kafka Streams).
    """

    kind: ClassVar[str] = "deduplicate"
    needs_key: ClassVar[bool] = True

    spec: WindowSpec
    within_ms: int
    identity: UserFunction | None = None
    identity_serde: Serde | None = None

    @property
    def store(self) -> WindowSpec:
        return self.spec

    @property
    def store_key_serde(self) -> Serde:
        return self.schema.key_serde() if self.identity is None else Bytes()

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        clock = chain.module.states.get(id(self))
        store = f"stores[{self.spec.name!r}]"
        if clock is None:
            clock = chain.module.states[id(self)] = operator_clock(chain, self.spec.name, self)
            chain.module.advances.append(f"{store}.advance({clock.now})")
        ts = scope.timestamp
        scope, kb = chain.key_bytes(scope)
        if self.identity is not None:
            scope, _ = chain.value(scope)
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            scope = scope.not_null_key()
            chain.line(f"if {ts} > {clock.time}: {clock.time} = {ts}")
            if self.identity is None:
                self._write_check(chain, scope, clock.now, store, kb)
                return
            scope, text = call(chain, scope, self.identity, hint="identity")
            identity = chain.local("identity")
            chain.line(f"{identity} = {text}")
            with chain.block(f"if {identity} is None:"):
                chain.forward(self, scope)
            with chain.block("else:"):
                assert self.identity_serde is not None
                whole = chain.local("kb")
                made = chain.serialize(self.identity_serde, identity)
                chain.line(f"{whole} = {chain.bind(identity_of, 'identity_of')}({kb}, {made})")
                self._write_check(chain, scope, clock.now, store, whole)

    def _write_check(self, chain: Chain, scope: RecordScope, now: str, store: str, identity: str) -> None:
        rows_of = chain.of_task("passed_rows", f"{store}.rows_of")
        set_row = chain.of_task("set_passed", f"{store}.set_row")
        ts, within, oldest = scope.timestamp, self.within_ms, chain.local("oldest")
        # The store forgets only between batches; what a record finds must not depend on where a batch ends.
        chain.line(f"{oldest} = {now} - {self.spec.retention_ms - 1}")
        span = f"max({ts} - {within - 1}, {oldest}), {ts} + {within - 1}"
        with chain.block(f"if {rows_of}({identity}, {span}):"):
            chain.line("counters.dropped_duplicate += 1")
        with chain.block("else:"):
            with chain.block(f"if {ts} >= {oldest}:"):
                chain.line(f"{set_row}({identity}, {ts}, 0, (True, {ts}))")
            chain.forward(self, scope)


def identity_of(key: bytes, identity: bytes) -> bytes:
    """Key and identity as one key, of which either can be told from the other."""
    return len(key).to_bytes(4, "big") + key + identity
