"""`peek` and `foreach`: calls a function for its effect; `peek` passes the record on, `foreach` ends there."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class Peek(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamPeek`. What the function returns is ignored."""

    kind: ClassVar[str] = "peek"

    action: UserFunction

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, text = call(chain, scope, self.action, hint="action")
        chain.line(text)
        chain.forward(self, scope)


class Foreach(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamPeek` without forwarding."""

    kind: ClassVar[str] = "foreach"

    action: UserFunction

    @property
    def emits(self) -> bool:
        return False

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        _, text = call(chain, scope, self.action, hint="action")
        chain.line(text)
