"""Stream-table join, inner and left: each stream record meets the table's value of the moment, or of its own time."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.operators.table import Table, table_of


class StreamTableJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamKTableJoinProcessor` (null keys as KIP-962 has it).

    Parents are the stream and the table; only stream records make results, with their own key and time. A null value
    is dropped. A null key is dropped by an inner join and meets nothing in a left one. In a versioned table a record
    meets the version of its own time (KIP-914).
    """

    kind: ClassVar[str] = "join"
    needs_key: ClassVar[bool] = True

    joiner: UserFunction
    left: bool = False

    @property
    def heard_parents(self) -> tuple[Node, ...]:
        return self.parents[:1]

    @property
    def looks_into(self) -> tuple[Node, ...]:
        return self.parents[1:]

    @property
    def table(self) -> Table:
        return table_of(self.parents[1])

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, kb = chain.key_bytes_under(scope, self.table.schema)
        scope, value = chain.value(scope)
        if self.left:
            with chain.block(f"if {value} is None:"):
                chain.line("counters.dropped_null_value += 1")
            with chain.block("else:"):
                self.write_meeting(chain, scope, kb, value)
            return
        with chain.block(f"if {kb} is None:"):
            chain.line("counters.dropped_null_key += 1")
        with chain.block(f"elif {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block("else:"):
            self.write_meeting(chain, scope.not_null_key(), kb, value)

    def write_meeting(self, chain: Chain, scope: RecordScope, kb: str, value: str) -> None:
        """Code that looks the table up for a record with a value, and forwards what comes of it. Only a left join's key
        `kb` may be None."""
        as_of = None if self.table.versions is None else scope.timestamp
        if not self.left:
            row = self.table.write_row(chain, scope, kb, as_of)
            with chain.block(f"if {row} is not None:"):
                self._write_joined(chain, scope, value, f"({row}[0])")
            return
        right = chain.local("right")
        with chain.block(f"if {kb} is None:"):
            chain.line(f"{right} = None")
        with chain.block("else:"):
            row = self.table.write_row(chain, scope.not_null_key(), kb, as_of)
            chain.line(f"{right} = None if {row} is None else {row}[0]")
        self._write_joined(chain, scope, value, right)

    def _write_joined(self, chain: Chain, scope: RecordScope, left: str, right: str) -> None:
        joined = chain.local("value")
        scope, text = call(chain, scope, self.joiner, {"left": left, "right": right}, hint="joiner")
        chain.line(f"{joined} = {text}")
        chain.forward(self, scope.with_new_value(scope.schema.with_value(self.schema.value), joined))
