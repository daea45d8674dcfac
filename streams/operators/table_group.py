"""`group_by` of a table: each change under the keys that its old and its new value belong to."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.graph.node import Node, OldValues
from streams.operators.table import latest_only
from streams.serde.change import Change

Pair = tuple[Any, Any] | None


class TableGroup(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KTableRepartitionMap`.

    `selector` is a function that gives a pair (key, value), or an expression that gives the key. What it forwards are
    changes (new, old): one if both values fall under the same key, else the old value's first. A null value, pair, key
    or mapped value is left out on its side. Of a versioned table only the latest versions count.
    """

    kind: ClassVar[str] = "table-group"
    changes_key: ClassVar[bool] = True

    selector: UserFunction

    @property
    def old_values(self) -> OldValues:
        return "needed"

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        with latest_only(chain, scope) as scope:
            self._write_changes(chain, scope)

    def _write_changes(self, chain: Chain, scope: RecordScope) -> None:
        scope, value = chain.value(scope)
        scope, new = self._pair(chain, scope, value)
        scope, old = self._pair(chain, scope, str(scope.old_value))
        key, change = chain.local("key"), chain.local("change")
        changes = chain.bind(changes_of, "changes_of")
        with chain.block(f"for {key}, {change} in {changes}({new}, {old}):"):
            grouped = replace(scope.with_new_key(self.schema, key).with_new_value(self.schema, change), old_value=None)
            chain.forward(self, grouped.not_null_key())

    def _pair(self, chain: Chain, scope: RecordScope, value: str) -> tuple[RecordScope, str]:
        """A local with the pair that the local `value` is mapped to."""
        pair = chain.local("pair")
        seen, text = call(chain, scope.with_new_value(scope.schema, value), self.selector, hint="selector")
        if isinstance(self.selector.target, Expression):
            text = f"({text}, {value})"
        chain.line(f"{pair} = None if {value} is None else {text}")
        return replace(seen, old_value=scope.old_value), pair


def changes_of(new: Pair, old: Pair) -> list[tuple[Any, Change]]:
    """The changes by key that a new and an old pair (key, value) make, the subtraction first."""
    if new is not None and (new[0] is None or new[1] is None):
        new = None
    if old is None or old[0] is None or old[1] is None:
        return [] if new is None else [(new[0], (new[1], None))]
    if new is None:
        return [(old[0], (None, old[1]))]
    if new[0] == old[0]:
        return [(new[0], (new[1], old[1]))]
    return [(old[0], (None, old[1])), (new[0], (new[1], None))]
