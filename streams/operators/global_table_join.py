"""Join of a stream with a global table, inner and left: by a key of the record's own choice."""

from __future__ import annotations

from typing import ClassVar

from stores import StoreSpec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.graph.schema import Schema


class GlobalTableJoin(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamGlobalKTableJoin`.

    `selector` gives the key to look up; None looks the record's own up. Results have the record's key and time. A null
    value is dropped; a null key to look up is dropped by an inner join and meets nothing in a left one. The table is
    read as it is at that moment: it keeps no pace with the stream.
    """

    kind: ClassVar[str] = "global-join"

    spec: StoreSpec
    table: Schema
    selector: UserFunction | None
    joiner: UserFunction
    left: bool = False

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        get = chain.of_task("global_get", f"stores[{self.spec.name!r}].get")
        scope, value = chain.value(scope)
        row, right, joined = chain.local("row"), chain.local("right"), chain.local("value")
        with chain.block(f"if {value} is None:"):
            chain.line("counters.dropped_null_value += 1")
        with chain.block("else:"):
            scope, lookup = self._lookup_key(chain, scope)
            with chain.block(f"if {lookup} is None:"):
                chain.line(f"{row} = None")
                if not self.left:
                    chain.line("counters.dropped_null_key += 1")
            with chain.block("else:"):
                chain.line(f"{row} = {get}({chain.serialize(self.table.key_serde(), lookup)})")
            if self.left:
                chain.line(f"{right} = None if {row} is None else {row}[0]")
                self._join(chain, scope, joined, value, right)
            else:
                with chain.block(f"if {row} is not None:"):
                    self._join(chain, scope, joined, value, f"({row}[0])")

    def _lookup_key(self, chain: Chain, scope: RecordScope) -> tuple[RecordScope, str]:
        if self.selector is None:
            return chain.key(scope)
        scope, text = call(chain, scope, self.selector, hint="selector")
        lookup = chain.local("lookup")
        chain.line(f"{lookup} = {text}")
        return scope, lookup

    def _join(self, chain: Chain, scope: RecordScope, joined: str, left: str, right: str) -> None:
        scope, text = call(chain, scope, self.joiner, {"left": left, "right": right}, hint="joiner")
        chain.line(f"{joined} = {text}")
        chain.forward(self, scope.with_new_value(scope.schema.with_value(self.schema.value), joined))
