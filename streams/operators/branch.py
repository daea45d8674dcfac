"""`split().branch()…`: each record goes to the first branch whose predicate holds."""

from __future__ import annotations

from typing import ClassVar

from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.graph.node import Node


class Split(Node, frozen=True, kw_only=True, eq=False):
    """Source: `KStreamBranch`. Its children are `Branch` nodes; a record that no predicate takes is dropped."""

    kind: ClassVar[str] = "split"

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        branches = [node for node in chain.module.nodes if isinstance(node, Branch) and node.parents[0] is self]
        taken = chain.local("taken")
        scope, _ = chain.value(scope)
        if branches:
            chain.line(f"{taken} = False")
        for branch in branches:
            with chain.at(branch):
                if branch.predicate is None:
                    with chain.block(f"if not {taken}:"):
                        chain.forward(branch, scope)
                else:
                    with chain.block(f"if not {taken}:"):
                        inner, condition = call(chain, scope, branch.predicate, hint="predicate")
                        with chain.block(f"if {condition}:"):
                            chain.line(f"{taken} = True")
                            chain.forward(branch, inner)


class Branch(Node, frozen=True, kw_only=True, eq=False):
    """One way out of a `Split`; `predicate` None is the default branch, declared last. `Split` writes its code."""

    kind: ClassVar[str] = "branch"

    predicate: UserFunction | None
    branch_name: str = ""
