"""From a logical graph to a plan: passes, the cut into sub-topologies, and their compilation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from stores import KeyValueSpec, StoreSpec
from streams.compile.subtopology import compile_subtopology
from streams.errors import SourceLine, TopologyError, TopologyProblem
from streams.graph.logical import LogicalGraph
from streams.graph.node import Node
from streams.operators.aggregate import AggregateByKey
from streams.operators.aggregation import SingleAggregation
from streams.operators.cogroup import Cogroup
from streams.operators.global_table import GlobalTable
from streams.operators.materialize import Materialize
from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.operators.sliding_aggregate import AggregateBySlidingWindow
from streams.operators.source import Source
from streams.operators.stream_join import StreamJoin
from streams.operators.table import Table
from streams.operators.table_aggregate import AggregateTable
from streams.operators.window_aggregate import WindowAggregate
from streams.operators.windowed_aggregate import AggregateByWindow
from streams.passes.changes import settle_changes
from streams.passes.checks import check
from streams.passes.destinations import bind_destinations
from streams.passes.merged_repartitions import merge_repartitions
from streams.passes.projection import project_sources
from streams.passes.repartitioning import insert_repartitions
from streams.passes.self_joins import share_self_join_stores
from streams.passes.sources import merge_sources
from streams.passes.stores import settle_stores
from streams.plan.names import changelog_topic
from streams.plan.plan import CopartitionGroup, Plan, RepartitionSink, SourceTopic, StorePlan, Subtopology
from streams.serde import SchemaRegistry
from streams.settings import Optimization
from streams.state import StoreDeclaration, global_store, table_store


def build_plan(
    application_id: str,
    graph: LogicalGraph,
    *,
    project: bool = False,
    emit_at_commit: bool = False,
    optimizations: Collection[Optimization] = (),
    registry: SchemaRegistry | None = None,
) -> Plan:
    """Checks, rewrites, cuts and compiles. `project` decodes only the fields that somebody reads; `emit_at_commit`
    has tables forward their changes at the commit; `registry` is where schemas are.

    Raises:
        ConfigError: a serde needs a schema registry, and there is none.
        TopologyError: with every problem of the declaration and of the whole.
    """
    graph = merge_sources(graph)
    if "merge_repartition_topics" in optimizations:
        graph = merge_repartitions(graph, application_id)
    graph = check(settle_stores(share_self_join_stores(insert_repartitions(graph, application_id))))
    if graph.problems:
        raise TopologyError(sorted(graph.problems, key=_place))
    if project:
        graph = project_sources(graph)
    graph = settle_changes(graph, at_commit=emit_at_commit)
    graph = bind_destinations(graph, application_id, registry)
    subtopologies = [
        _subtopology(application_id, index, graph, members, reuse="reuse_ktable_source_topics" in optimizations)
        for index, members in enumerate(_components(graph))
    ]
    fixed = {
        node.topic: node.partitions
        for node in graph.nodes
        if isinstance(node, Repartition) and node.partitions is not None
    }
    groups = tuple(_copartitioned(graph))
    return Plan(
        application_id=application_id,
        subtopologies=tuple(subtopologies),
        fixed_partitions=fixed,
        copartitioned=groups,
        global_tables=tuple(node for node in graph.nodes if isinstance(node, GlobalTable)),
        global_stores=tuple(_global_store_plans(graph)),
    )


def _place(problem: TopologyProblem) -> tuple[bool, str, int]:
    """In the order of the user's files and lines; those of no line last."""
    origin = problem.origin
    return (True, "", 0) if origin is None else (False, origin.file, origin.line)


def _components(graph: LogicalGraph) -> list[list[Node]]:
    """The nodes of each sub-topology: connected parts, cut at repartitions; in the order of declaration.

    A repartition is listed with those it feeds (it is their source) as well as with what feeds it (it is a sink).
    """
    leader: dict[int, int] = {}

    def find(node: Node) -> int:
        at = leader.setdefault(id(node), id(node))
        while leader[at] != at:
            at = leader[at]
        return at

    nodes = [node for node in graph.nodes if not isinstance(node, GlobalTable)]
    for node in nodes:
        if isinstance(node, Repartition):
            continue
        for parent in node.parents:
            leader[find(node)] = find(parent)  # a repartition as a parent stands for its source side
    users: dict[str, Node] = {}
    shared = {table.spec.name for table in graph.nodes if isinstance(table, GlobalTable)}
    for node in nodes:
        for name in (*node.connected_stores, *([node.store.name] if node.store is not None else ())):
            if name not in shared:
                leader[find(node)] = find(users.setdefault(name, node))
    components: dict[int, list[Node]] = {}
    for node in nodes:
        sides = [find(node)]
        if isinstance(node, Repartition):
            sides.insert(0, find(node.parents[0]))
        for side in dict.fromkeys(sides):
            components.setdefault(side, []).append(node)
    return list(components.values())


def _subtopology(
    application_id: str, index: int, graph: LogicalGraph, members: Sequence[Node], *, reuse: bool
) -> Subtopology:
    entries: dict[str, Node] = {}
    roles: list[SourceTopic] = []
    fed_here = {id(parent) for node in members for parent in node.parents}
    for node in members:
        if isinstance(node, Source):
            for topic in node.topics:
                entries[topic] = node
                roles.append(SourceTopic(topic, node.role, node.reset))
        elif isinstance(node, Repartition) and id(node) in fed_here:
            entries[node.topic] = node
            roles.append(SourceTopic(node.topic, "repartition"))
    written = [
        node
        for node in members
        if isinstance(node, Repartition) and any(node.parents[0] is member for member in members)
    ]
    stores = tuple(_stores(application_id, graph, members, reuse=reuse))
    return Subtopology(
        index=index,
        nodes=tuple(members),
        sources=tuple(roles),
        sinks=tuple(node.topic for node in members if isinstance(node, Sink) and isinstance(node.topic, str)),
        stores=stores,
        repartition_sinks=tuple(
            RepartitionSink(
                topic=node.topic,
                sources=tuple(_topics_above(node.parents[0])),
                hold_back_ms=_hold_back_above(node.parents[0]),
                holders=frozenset(_holders_above(node.parents[0])),
                by_key=node.partitioner is None,
            )
            for node in written
        ),
        program=compile_subtopology(
            f"{application_id}/{index}",
            members,
            entries,
            [source.topic for source in roles if source.role == "repartition"],
            _global_stores(graph)
            | {store.name: store.declaration for store in stores if store.declaration is not None},
        ),
    )


def _stores(application_id: str, graph: LogicalGraph, members: Sequence[Node], *, reuse: bool) -> Iterator[StorePlan]:
    named = {name for node in members for name in node.connected_stores}
    known: set[str] = set()  # the inputs of a cogroup share a store
    for node in members:
        spec = node.store
        if spec is not None and spec.name not in known:
            known.add(spec.name)
            folds = isinstance(node, AggregateByKey | WindowAggregate | AggregateTable)
            key_serde = node.group.key_serde() if folds else node.store_key_serde
            aggregation = node.aggregation if folds else None
            declaration = None
            window_end = node.end_of if isinstance(node, AggregateByWindow | AggregateBySlidingWindow) else None
            if spec.name in named:
                present = None
                if aggregation is not None and not isinstance(aggregation, SingleAggregation):
                    present = aggregation.present
                read_only = isinstance(node, Materialize) and node.read_only
                declaration = table_store(
                    spec, key_serde, node.schema.value_serde(), present, read_only=read_only, window_end=window_end
                )
            source = _read_only_source(node) or (_same_rows_source(node, spec) if reuse else None)
            said = graph.materialized.get(spec.name)
            yield StorePlan(
                spec=spec,
                changelog=None if source else _changelog(application_id, spec),
                key_serde=key_serde,
                aggregation=aggregation,
                declaration=declaration,
                window_end=window_end,
                changelog_settings={} if said is None else said.changelog,
                source=source,
                caching=isinstance(node, Table) and node.at_commit,
            )
    for store in graph.stores:
        if store.name in named:
            yield StorePlan(
                spec=store.spec,
                changelog=_changelog(application_id, store.spec),
                key_serde=store.key,
                declaration=store,
                changelog_settings=store.changelog,
                declared=True,
            )


def _global_stores(graph: LogicalGraph) -> dict[str, StoreDeclaration[Any]]:
    """What processors see of global tables and stores."""
    return {node.spec.name: _seen(node) for node in graph.nodes if isinstance(node, GlobalTable)}


def _global_store_plans(graph: LogicalGraph) -> Iterator[StorePlan]:
    for node in graph.nodes:
        if isinstance(node, GlobalTable):
            yield StorePlan(
                spec=node.spec,
                changelog=None,
                key_serde=node.store_key_serde,
                declaration=node.declaration,
                declared=node.declaration is not None,
                source=node.topic,
                everywhere=True,
            )


def _seen(table: GlobalTable) -> StoreDeclaration[Any]:
    if table.declaration is not None:
        return global_store(table.declaration)
    key, value = table.schema.key_serde(), table.schema.value_serde()
    return table_store(table.spec, key, value, None, read_only=True, everywhere=True)


def _read_only_source(node: Node) -> str | None:
    """The topic that a read-only store is filled by."""
    if isinstance(node, Materialize) and node.read_only:
        source = node.parents[0]
        assert isinstance(source, Source)
        return source.topics[0]
    return None


def _changelog(application_id: str, spec: StoreSpec) -> str | None:
    return changelog_topic(application_id, spec.name) if spec.logged else None


def _same_rows_source(node: Node, spec: StoreSpec) -> str | None:
    """The topic that a table is read from, if its rows are that topic's records as they are.

    Source: `TableSourceNode.reuseSourceTopicForChangeLog`. Where a function finds the records' times, or some are left
    out or moved for theirs, the topic does not say what the rows are.
    """
    if not isinstance(node, Materialize) or not isinstance(spec, KeyValueSpec) or not spec.logged:
        return None
    (source,) = node.parents
    if not isinstance(source, Source) or source.role != "table":
        return None
    return source.topics[0] if source.timestamp is None and source.invalid_timestamp == "fail" else None


def _topics_above(node: Node) -> Iterator[str]:
    """The source topics of the same sub-topology whose records can come to `node`, each once."""
    found: dict[str, None] = {}
    queue = [node]
    while queue:
        current = queue.pop(0)
        if isinstance(current, Source):
            found.update(dict.fromkeys(current.topics))
        elif isinstance(current, Repartition):
            found[current.topic] = None
        else:
            queue.extend(current.heard_parents)
    yield from found


def _hold_back_above(node: Node) -> int:
    """The most that the operators on one way from a source topic to `node`, itself included, hold back together."""
    if isinstance(node, Source | Repartition):
        return 0
    return node.hold_back_ms + max((_hold_back_above(parent) for parent in node.heard_parents), default=0)


def _holders_above(node: Node) -> Iterator[str]:
    """The labels of the operators that hold back on the ways to `node`, itself included."""
    if not isinstance(node, Source | Repartition):
        if node.hold_back_ms:
            yield node.label
        for parent in node.heard_parents:
            yield from _holders_above(parent)


def _copartitioned(graph: LogicalGraph) -> Iterator[CopartitionGroup]:
    """Groups of topics that joins and cogroups read side by side, each once per line that asks for it."""
    known: set[tuple[frozenset[str], SourceLine | None]] = set()  # a join of tables looks both ways
    for node in graph.nodes:
        if node.looks_into or isinstance(node, Cogroup | StreamJoin):
            topics = dict.fromkeys(topic for parent in node.parents for topic in _topics_above(parent))
            asked = frozenset(topics), node.origin
            if asked not in known:
                known.add(asked)
                yield CopartitionGroup(topics=tuple(topics), origin=node.origin)
