"""Stable names for stores and internal topics.

A name is the user's, else it follows from the operator's place in its own chain: the topics or stores the chain starts
from, the branches taken, and the kind of the operator. Operators without state do not count, so that adding a filter
renames nothing; a second operator of the same kind on the same chain gets `-2`.
"""

from __future__ import annotations

import re

from streams.graph.node import Node
from streams.operators.branch import Branch
from streams.operators.materialize import Materialize
from streams.operators.source import Source
from streams.operators.stream_join import StreamJoin, StreamJoinSide

LEGAL = re.compile(r"[A-Za-z0-9._-]{1,249}")


def chain_name(node: Node) -> str:
    """What the chain that leads to `node` is called."""
    if isinstance(node, StreamJoin | StreamJoinSide):
        return chain_name(node.parents[0])
    if node.store is not None:
        return node.store.name
    if isinstance(node, Materialize):
        return node.spec.name
    if isinstance(node, Source):
        return "-".join(re.sub(r"[^A-Za-z0-9._-]", "_", topic) for topic in node.topics)
    if isinstance(node, Branch):
        return f"{chain_name(node.parents[0])}-{node.branch_name}"
    return chain_name(node.parents[0])


class Names:
    """Names given so far in one topology."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._taken: set[str] = set()

    def claim(self, name: str) -> bool:
        """Takes a user's name; False if it is taken already."""
        if name in self._taken:
            return False
        self._taken.add(name)
        return True

    def derive(self, parent: Node, kind: str) -> str:
        """The next name for an operator of `kind` behind `parent`."""
        base = f"{chain_name(parent)}-{kind}"
        while True:
            count = self._given[base] = self._given.get(base, 0) + 1
            name = base if count == 1 else f"{base}-{count}"
            if self.claim(name):
                return name
