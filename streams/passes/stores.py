"""Has the stores of operators follow what their users said of them (`Materialized`), and finds what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from stores import KeyValueSpec, SessionSpec, StoreSpec, WindowSpec
from streams.errors import TopologyProblem
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.operators.global_table import GlobalTable
from streams.operators.table import Table
from streams.operators.table_group import TableGroup
from streams.state import Materialized


def settle_stores(graph: LogicalGraph) -> LogicalGraph:
    """The graph in which each operator's store is as it was said to be. Its name and how its rows are written stay."""
    if not graph.materialized:
        return graph
    problems: dict[tuple[str, str], TopologyProblem] = {}  # the inputs of a cogroup share a store

    def rewrite(node: Node, parents: tuple[Node, ...]) -> tuple[Node, ...]:
        changed: dict[str, Any] = {} if parents == node.parents else {"parents": parents}
        spec = node.store
        said = None if spec is None else graph.materialized.get(spec.name)
        if spec is not None and said is not None:
            messages = list(_misfits(node, spec, said))
            for message in messages:
                message = f"store {spec.name!r}: {message}"
                problems.setdefault((spec.name, message), TopologyProblem(message=message, origin=node.origin))
            if not messages and not any(said.problems()):
                changed["spec"] = _kept_as_said(spec, said)
        return (replace(node, **changed),) if changed else (node,)

    settled = graph.rewritten(rewrite)
    return settled.with_problems(*problems.values(), *_forgotten_rows(settled))


def _kept_as_said(spec: StoreSpec, said: Materialized) -> StoreSpec:
    persistent = said.max_entries is None if said.persistent is None else said.persistent
    if not isinstance(spec, KeyValueSpec):
        return replace(spec, persistent=persistent, logged=said.logged)
    return replace(
        spec,
        persistent=persistent,
        logged=said.logged,
        expire_after_ms=None if said.ttl is None else said.ttl // timedelta(milliseconds=1),
        max_entries=said.max_entries,
        custom=said.custom,
    )


def _misfits(node: Node, spec: StoreSpec, said: Materialized) -> Iterator[str]:
    """What was said of the store that its operator cannot do."""
    if isinstance(node, GlobalTable):
        given = [name for name in ("caching", "ttl", "max_entries", "custom") if getattr(said, name) is not None]
        given += [name for name, told in (("logged", not said.logged), ("changelog", said.changelog)) if told]
        if given:
            yield f"a global table has the rows of its topic, which is its changelog: leave out {', '.join(given)}"
    if not isinstance(spec, KeyValueSpec):
        for name in ("ttl", "max_entries", "custom"):
            if getattr(said, name) is not None:
                yield f"{name} is for key-value stores, and this is a {spec.kind} store: leave it out"
    if said.retention is not None and not isinstance(spec, WindowSpec | SessionSpec):
        yield f"retention is for windows and sessions, and this is a {spec.kind} store: for rows that expire say ttl="
    if said.caching and not (isinstance(node, Table) and node.collapses) and not isinstance(node, GlobalTable):
        yield "its operator forwards nothing that could wait for the commit: leave out caching=True"


def _forgotten_rows(graph: LogicalGraph) -> Iterator[TopologyProblem]:
    """Aggregates of tables of which rows go without a word: they would stay in the aggregate for ever."""
    for node in graph.nodes:
        if isinstance(node, TableGroup):
            for spec in _rows_of(node):
                if spec.expire_after_ms is not None or spec.max_entries is not None:
                    why = "max_entries" if spec.expire_after_ms is None else "ttl"
                    yield TopologyProblem(
                        message=f"group_by needs a table that tells of every row that goes, but rows of store "
                        f"{spec.name!r} go without a word ({why}), so aggregates would count them for ever: group a "
                        "table without it, or the changes as a stream (to_stream().group_by(…))",
                        origin=node.origin,
                    )


def _rows_of(node: Node) -> Iterator[KeyValueSpec]:
    """The stores that old values come from."""
    for parent in node.heard_parents:
        if isinstance(parent.store, KeyValueSpec):
            yield parent.store
        elif parent.store is None and isinstance(parent, Table):
            yield from _rows_of(parent)
