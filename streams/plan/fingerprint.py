"""What of a topology is written down outside of it: how rows of its stores and records of its internal topics look.

A worker keeps the fingerprint of what it ran beside the state, and compares it with the topology it is started with:
rows that were written in one form must not be read in another. Functions are not looked at; a type that gained a field
reads its old rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from streams.errors import SourceLine, TopologyProblem
from streams.graph.node import Node
from streams.operators.repartition import Repartition
from streams.plan.plan import Plan, StorePlan
from streams.serde import Serde

SAME_TEXT = {"pydantic": "json"}
"""Forms that write what another form reads."""


class StoreShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """`kind`: key_value, window, …; `key`, `value`: forms of the bytes; `size_ms`: of a window; `source`: the topic
    that fills it, if it has no changelog of its own; `logged`: its rows are somewhere else, too."""

    kind: str
    key: str
    value: str
    size_ms: int | None = None
    source: str | None = None
    logged: bool = True


class TopicShape(msgspec.Struct, frozen=True):
    """Forms of the bytes of a repartition topic."""

    key: str
    value: str


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """By the stores' names and the repartition topics'."""

    stores: dict[str, StoreShape] = {}
    repartitions: dict[str, TopicShape] = {}

    def after(self, earlier: Fingerprint) -> Fingerprint:
        """With what only `earlier` has: those rows lie where they were, should the names come back."""
        return Fingerprint(
            stores={**earlier.stores, **self.stores}, repartitions={**earlier.repartitions, **self.repartitions}
        )


def fingerprint(plan: Plan) -> Fingerprint:
    """The plan's."""
    stores: dict[str, StoreShape] = {}
    for subtopology, store in plan.stores():
        keeper = _keeper(subtopology.nodes, store.name)
        stores[store.name] = StoreShape(
            kind=store.kind,
            key=_form(store.key_serde),
            value=_declared_form(store) if keeper is None else _value_form(keeper),
            size_ms=getattr(store.spec, "size_ms", None),
            source=store.source,
            logged=store.spec.logged,
        )
    repartitions = {
        node.topic: TopicShape(key=_form(node.schema.key_serde()), value=_form(node.schema.value_serde()))
        for node in _repartitions(plan)
    }
    return Fingerprint(stores=stores, repartitions=repartitions)


def incompatibilities(plan: Plan, earlier: Fingerprint) -> list[TopologyProblem]:
    """What the plan would misread of an earlier topology's rows and records, each with its cure. Empty: nothing."""
    now, application = fingerprint(plan), plan.application_id
    origins = {name: _origin(plan, name) for name in now.stores}
    problems: list[TopologyProblem] = []
    for name, shape in now.stores.items():
        before = earlier.stores.get(name)
        differences = [] if before is None else list(_differences(before, shape))
        if before is not None and differences:
            has_changelog = before.logged and before.source is None
            lies = f"the topic {application}-{name}-changelog (headrace topics delete) and " if has_changelog else ""
            problems.append(
                TopologyProblem(
                    message=f"store {name!r} has rows of an earlier version of this topology, which it cannot read: "
                    f"{'; '.join(differences)}. Give it another name ({name}-2) to begin anew beside the old rows; or "
                    f"stop all workers, and delete {lies}the folder {application} in the state directory, or have "
                    "everything processed again: headrace reset MODULE:APP",
                    origin=origins[name],
                )
            )
    for node in _repartitions(plan):
        topic, before = node.topic, earlier.repartitions.get(node.topic)
        shape = now.repartitions[topic]
        if before is not None and before != shape:
            told = "; ".join(_changes(("keys", before.key, shape.key), ("values", before.value, shape.value)))
            problems.append(
                TopologyProblem(
                    message=f"topic {topic!r} may hold records of an earlier version of this topology, which it cannot "
                    f"read: {told}. Give the group or repartition another name, or stop all workers and have "
                    "everything processed again: headrace reset MODULE:APP",
                    origin=node.origin,
                )
            )
    return problems


def _differences(before: StoreShape, now: StoreShape) -> Iterator[str]:
    if before.kind != now.kind:
        yield f"it was a {before.kind} store and is a {now.kind} store"
        return
    yield from _changes(("keys", before.key, now.key), ("values", before.value, now.value))
    if before.size_ms != now.size_ms:
        yield f"its windows had {before.size_ms} ms and have {now.size_ms} ms"
    if before.source != now.source:
        yield f"it was restored from {_source(before)} and is from {_source(now)}"
    if now.logged and not before.logged:
        yield "it was not logged and is, so its changelog would lack the rows of before"


def _source(shape: StoreShape) -> str:
    return "a changelog of its own" if shape.source is None else f"topic {shape.source!r}"


def _changes(*parts: tuple[str, str, str]) -> Iterator[str]:
    for what, before, now in parts:
        if before != now and before and now:
            yield f"its {what} were written as {before} and are {now}"


def _keeper(nodes: tuple[Node, ...], store: str) -> Node | None:
    return next((node for node in nodes if node.store is not None and node.store.name == store), None)


def _origin(plan: Plan, store: str) -> SourceLine | None:
    """Of the operator that keeps the store, else of the first processor that uses it."""
    for subtopology in plan.subtopologies:
        keeper = _keeper(subtopology.nodes, store)
        users = (node for node in subtopology.nodes if store in node.connected_stores)
        node = next(users, None) if keeper is None else keeper
        if node is not None:
            return node.origin
    return None


def _value_form(node: Node) -> str:
    """The form of an operator's rows; named aggregates are a list, in the order of their names as declared."""
    aggregation: Any = getattr(node, "aggregation", None)
    if aggregation is None:
        return _form(node.schema.value_serde())
    columns: Any = getattr(aggregation, "columns", None)
    if columns is not None:
        return "(" + ", ".join(f"{column.name}={column.aggregate.name}" for column in columns) + ")"
    serde: Serde | None = getattr(aggregation, "serde", None)
    return "" if serde is None else _form(serde)


def _declared_form(store: StorePlan) -> str:
    """The form of rows that processors write."""
    return "" if store.declaration is None else _form(store.declaration.value)


def _form(serde: Serde) -> str:
    form = serde.form or serde.name
    return SAME_TEXT.get(form, form)


def _repartitions(plan: Plan) -> list[Repartition]:
    found = {node.topic: node for sub in plan.subtopologies for node in sub.nodes if isinstance(node, Repartition)}
    return list(found.values())
