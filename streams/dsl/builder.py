"""What the handles of one topology share: the graph under construction and the names given in it."""

from __future__ import annotations

from typing import Any

from streams.dsl.naming import LEGAL, Names
from streams.errors import SourceLine, TopologyError
from streams.graph.logical import GraphBuilder
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema, declared
from streams.serde import Role
from streams.state import Materialized, StoreDeclaration, StoreName


class TopologyBuilder(GraphBuilder):
    """Owned by an `App`; every handle appends to it."""

    def __init__(self, application_id: str) -> None:
        super().__init__()
        self.application_id = application_id
        self._stores = Names()
        self._labels = Names()

    def part(self, given: Any, role: Role, known: Part, origin: SourceLine | None) -> Part:
        """The key or value part that the user's `key=` or `value=` declares; `known` where nothing was given."""
        if given is None:
            return known
        try:
            return declared(given, role)
        except TopologyError as error:
            for problem in error.problems:
                self.problem(problem.message, origin)
            return known

    def schema(self, key: Any, value: Any, known: Schema, origin: SourceLine | None) -> Schema:
        """Both parts at once."""
        return Schema(self.part(key, "key", known.key, origin), self.part(value, "value", known.value, origin))

    def store_name(self, given: StoreName | None, parent: Node, kind: str, origin: SourceLine | None) -> str:
        """The user's name for a store, checked, or one derived from its place in the chain.

        What else the user said of the store is taken in; a pass has the operator's store follow it.
        """
        if isinstance(given, Materialized):
            name = self.store_name(given.name, parent, kind, origin)
            for message in given.problems():
                self.problem(f"store {name!r}: {message}", origin)
            self.materialize(name, given)
            return name
        if given is None:
            return self._stores.derive(parent, kind)
        given = self.check_name("store", given, origin)
        if not self._stores.claim(given):
            self.problem(f"there is already a store named {given!r}: names of stores must differ", origin)
        return given

    def add_store(self, store: StoreDeclaration[Any], origin: SourceLine | None) -> None:
        """Declares a store for processors; the same one may come again."""
        if self.declare(store):
            self.check_name("store", store.name, origin)
            if not self._stores.claim(store.name):
                self.problem(f"there is already a store named {store.name!r}: names of stores must differ", origin)

    def label(self, given: StoreName | None, parent: Node | None, kind: str) -> str:
        """An operator's name in renderings and errors: the user's, or `<chain>-<kind>` (numbered where needed)."""
        if isinstance(given, Materialized):
            given = given.name
        if given is not None:
            if not self._labels.claim(given):
                self.problem(
                    f"there is already an operator named {given!r}: names of operators must differ", caller_origin()
                )
            return given
        if parent is None:
            return kind
        return self._labels.derive(parent, kind)

    def check_name(self, what: str, name: str, origin: SourceLine | None) -> str:
        """The name, to go on with; one that cannot be part of a topic name is noted as a problem."""
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            self.problem(f"a {what}'s name is a str, got {name!r}", origin)
            return "_"
        if not LEGAL.fullmatch(name) or name in (".", ".."):
            self.problem(f"{what} name {name!r} is not legal: up to 249 letters, digits, '.', '_' and '-'", origin)
        return name

    def changelog_topic(self, store: str) -> str:
        return f"{self.application_id}-{store}-changelog"

    def repartition_topic(self, name: str) -> str:
        return f"{self.application_id}-{name}-repartition"
