"""The inner join of a stream with itself, on one store instead of two (KIP-862)."""

from __future__ import annotations

from typing import ClassVar

from stores import WindowSpec
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.operators.stream_join import Kept, above_loop, last_met, write_joined
from streams.windows.join_windows import JoinWindows


class StreamSelfJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamKStreamSelfJoin`. Stands for both sides of a join (`streams.passes.self_joins`); its child is the
    join's `StreamJoin`.

    A record is taken as a left one first, which meets those that came before it, then as a right one, which meets all,
    itself included. So the results are those of two stores, and in their order.
    """

    kind: ClassVar[str] = "stream-self-join"

    spec: WindowSpec
    joiner: UserFunction
    windows: JoinWindows

    @property
    def store(self) -> WindowSpec:
        return self.spec

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        (node,) = chain.children(self)
        append = chain.of_task("append", f"stores[{self.spec.name!r}].append")
        kept, ts = Kept.of(chain, self.spec, node), scope.timestamp
        scope, kb = chain.key_bytes_under(scope, self.schema)
        scope, value = chain.value(scope)
        with chain.block(f"if {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block(f"elif {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block("else:"):
            scope = scope.not_null_key()
            scope = above_loop(chain, scope, self.joiner)
            self._write_met(chain, scope, kept, kb, value, is_right=False)
            chain.line(f"{append}({kb}, {ts}, ({value}, {ts}))")
            kept.write_put(chain, ts)
            self._write_met(chain, scope, kept, kb, value, is_right=True)

    def _write_met(self, chain: Chain, scope: RecordScope, kept: Kept, kb: str, value: str, *, is_right: bool) -> None:
        """The results of the record as one of the left or the right side."""
        rows_of = chain.of_task("rows_of", f"stores[{self.spec.name!r}].rows_of")
        before, after = self.windows.before_ms, self.windows.after_ms
        back, ahead = (after, before) if is_right else (before, after)
        ts, first = scope.timestamp, chain.local("first")
        at, other, rest = chain.local("at"), chain.local("other"), chain.local("rest")
        visible = kept.write_visible(chain)
        if is_right:
            chain.line(f"if {ts} < {visible}: counters.dropped_late += 1")
        chain.line(f"{first} = {visible}")
        chain.line(f"if {first} < {ts} - {back}: {first} = {ts} - {back}")
        with chain.block(f"for {at}, {rest}, ({other}, {rest}) in {rows_of}({kb}, {first}, {last_met(ts, ahead)}):"):
            values = (other, value) if is_right else (value, other)
            write_joined(chain, self, self.joiner, scope, values, f"{at} if {at} > {ts} else {ts}")
