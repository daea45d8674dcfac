"""Stream-table join, inner and left: each stream record meets the table's value of the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stores import KeyValueSpec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamTableJoin(Node):
    """Source: `KStreamKTableJoinProcessor` (null keys as KIP-962 has it).

    Parents are the stream and the table; only stream records make results, with their own key and time. A null value
    is dropped. A null key is dropped by an inner join and meets nothing in a left one.
    """

    kind: ClassVar[str] = "join"
    needs_key: ClassVar[bool] = True

    table: KeyValueSpec
    joiner: UserFunction
    left: bool = False

    @property
    def heard_parents(self) -> tuple[Node, ...]:
        return self.parents[:1]

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        store = f"stores[{self.table.name!r}]"
        get = chain.of_task("table_get", f"{store}.dirty.get")
        load = chain.of_task("table_load", f"{store}.load")
        row, joined = chain.local("row"), chain.local("value")
        scope, kb = chain.key_bytes_under(scope, self.parents[1].schema)
        scope, value = chain.value(scope)
        if self.left:
            with chain.block(f"if {value} is None:"):
                chain.line("counters.dropped_null_value += 1")
            with chain.block("else:"):
                with chain.block(f"if {kb} is None:"):
                    chain.line(f"{row} = None")
                with chain.block("else:"):
                    self._look_up(chain, row, kb, get, load)
                self._join(chain, scope, joined, value, f"None if {row} is None else {row}[0]")
            return
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block(f"elif {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block("else:"):
            self._look_up(chain, row, kb, get, load)
            with chain.block(f"if {row} is not None:"):
                self._join(chain, scope.not_null_key(), joined, value, f"{row}[0]")

    @staticmethod
    def _look_up(chain: Chain, row: str, kb: str, get: str, load: str) -> None:
        chain.line(f"{row} = {get}({kb}, {chain.missing})")
        with chain.block(f"if {row} is {chain.missing}:"):
            chain.line(f"{row} = {load}({kb})")

    def _join(self, chain: Chain, scope: RecordScope, joined: str, left: str, right: str) -> None:
        scope, text = call(chain, scope, self.joiner, {"left": left, "right": f"({right})"}, hint="joiner")
        chain.line(f"{joined} = {text}")
        chain.forward(self, scope.with_new_value(scope.schema.with_value(self.schema.value), joined))
