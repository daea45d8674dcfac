"""`select_key`, and the re-keying half of `group_by`: a new key for each record."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class SelectKey(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamMap` as `selectKey` uses it."""

    kind: ClassVar[str] = "select-key"
    changes_key: ClassVar[bool] = True

    selector: UserFunction

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        scope, text = call(chain, scope, self.selector, hint="selector")
        key = chain.local("key")
        chain.line(f"{key} = {text}")
        chain.forward(self, scope.with_new_key(scope.schema.with_key(self.schema.key), key))
