"""`split()`: branches of a stream under construction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from streams.context import Context
from streams.dsl.builder import TopologyBuilder
from streams.dsl.missing_method import TellsMissingMethods
from streams.errors import SourceLine
from streams.expressions import Expression
from streams.graph.function import user_function
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.operators.branch import Branch, Split

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")


class BranchedStream(TellsMissingMethods, Struct, Generic[K, V], frozen=True):
    """Branches declared so far, by name. First match wins; what no branch takes goes to the default, or nowhere.

    Source: `BranchedKStream`. Names default to the branch's position, from 1; the default branch is `"0"`.
    """

    _builder: TopologyBuilder
    _split: Node
    _branches: tuple[tuple[str, Node], ...]
    _handle: Callable[[Node], Any]

    @classmethod
    def of(
        cls,
        builder: TopologyBuilder,
        parent: Node,
        name: str,
        origin: SourceLine | None,
        handle: Callable[[Node], Any],
    ) -> BranchedStream[K, V]:
        """Appends the operator whose branches follow."""
        split = Split(parents=(parent,), schema=parent.schema, origin=origin, label=builder.label(None, parent, name))
        return cls(builder, builder.add(split), (), handle)

    def branch(
        self, predicate: Callable[[K, V], Any] | Callable[[K, V, Context], Any] | Expression, *, name: str | None = None
    ) -> BranchedStream[K, V]:
        """One more branch: the records `predicate(key, value)` holds for and no earlier branch took."""
        return self._with(predicate, name or str(len(self._branches) + 1), caller_origin())

    def default_branch(self, *, name: str = "0") -> dict[str, KStream[K, V]]:
        """Ends the split: what no branch took goes to a branch of its own. Returns all branches by name."""
        return self._with(None, name, caller_origin())._streams()

    def no_default_branch(self) -> dict[str, KStream[K, V]]:
        """Ends the split: what no branch took is dropped. Returns all branches by name."""
        return self._streams()

    def _with(self, predicate: Any, name: str, origin: SourceLine | None) -> BranchedStream[K, V]:
        if any(name == other for other, _ in self._branches):
            self._builder.problem(f"there is already a branch named {name!r} in this split", origin)
        function = (
            None
            if predicate is None
            else user_function(self._builder, "branch", predicate, ("key", "value"), origin=origin)
        )
        node = Branch(
            parents=(self._split,),
            schema=self._split.schema,
            origin=origin,
            label=f"{self._split.label}-{name}",
            predicate=function,
            branch_name=name,
        )
        self._builder.add(node)
        return BranchedStream(self._builder, self._split, (*self._branches, (name, node)), self._handle)

    def _streams(self) -> dict[str, KStream[K, V]]:
        return {name: self._handle(node) for name, node in self._branches}
