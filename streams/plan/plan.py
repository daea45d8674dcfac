"""The physical plan: sub-topologies, the topics and stores they need, and how partitions make tasks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

from stores import KeyValueSpec, StoreSpec, VersionedSpec, WindowSpec
from streams.compile.program import SubtopologyProgram
from streams.errors import SourceLine, TopologyError, TopologyProblem
from streams.graph.node import Node
from streams.operators.aggregation import Aggregation
from streams.operators.global_table import GlobalTable
from streams.operators.source import OffsetReset, Source
from streams.operators.table_aggregation import TableAggregation
from streams.plan.task_id import TaskId
from streams.serde import Serde
from streams.state import StoreDeclaration

CHANGELOG_CONFIGS: Mapping[str, str] = {"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}
"""Windowed changelogs too: their expired rows are deleted by tombstones, not by wall clock, so that a replay of old
events keeps its windows until the task itself has expired them."""

LAG_BEYOND_HISTORY_MS = 86_400_000
"""How much longer than its history the changelog of a versioned store is spared compaction, which keeps only the last
record of a key. Source: `VersionedChangelogTopicConfig`."""

REPARTITION_CONFIGS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "segment.bytes": str(50 * 1024 * 1024),
    "message.timestamp.type": "CreateTime",
}


class SourceTopic(Struct, frozen=True):
    """A topic a sub-topology reads. `repartition` topics are internal and carry watermarks."""

    topic: str
    role: Literal["stream", "table", "repartition"]
    reset: OffsetReset | None = None


class StorePlan(Struct, frozen=True, kw_only=True):
    """A state store: how it is kept, its changelog topic (None: not logged), how a query reads it, and how processors
    see it if any does."""

    spec: StoreSpec
    changelog: str | None
    key_serde: Serde
    aggregation: Aggregation | TableAggregation | None = None
    declaration: StoreDeclaration[Any] | None = None
    window_end: Callable[[int], int] | None = None
    """Tells a window's end from its start, both in ms, where the store's size does not."""
    changelog_settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its user said of the changelog topic."""
    source: str | None = None
    """The topic that fills it, so that it needs no changelog: it is restored from there, as far as it was read."""
    caching: bool = False
    """Changes are forwarded at the commit."""
    declared: bool = False
    """A user declared it by `Stores`; it belongs to no operator of the DSL."""
    everywhere: bool = False
    """A global store: every worker has all of it."""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> str:
        """`key_value`, `window` and so on: how rows are found in it."""
        return self.spec.kind.replace("-", "_")

    @property
    def changelog_configs(self) -> Mapping[str, str]:
        """The settings of its changelog topic."""
        lag: dict[str, str] = {}
        if isinstance(self.spec, VersionedSpec):
            lag["min.compaction.lag.ms"] = str(self.spec.history_ms + LAG_BEYOND_HISTORY_MS)
        return {**CHANGELOG_CONFIGS, **lag, **self.changelog_settings}

    def end_of(self, start: int) -> int:
        """The end of the window that starts at `start`, as `Windowed` keys have it; only of window stores."""
        assert isinstance(self.spec, WindowSpec)
        return min(start + self.spec.size_ms, 2**63 - 1) if self.window_end is None else self.window_end(start)

    def can_read(self, value: bytes | None) -> bool:
        """Whether a record's value can be a row; only of key-value stores."""
        assert isinstance(self.spec, KeyValueSpec)
        try:
            if value is not None:
                self.spec.codec.decode(value)
        except Exception:
            return False
        return True

    def present(self, value: Any) -> Any:
        """A row's value as users see it."""
        return value if self.aggregation is None else self.aggregation.present(value)


class RepartitionSink(Struct, frozen=True, kw_only=True):
    """A repartition topic a sub-topology writes: the source topics whose records can reach it (the table side of a
    join cannot), and how long operators on the way may hold a record back, in ms."""

    topic: str
    sources: tuple[str, ...]
    hold_back_ms: int = 0
    holders: frozenset[str] = frozenset()
    """The labels of those operators."""
    by_key: bool = True
    """Whether a key lies where its hash says; else a partitioner of the user's decides."""


class Subtopology(Struct, frozen=True, kw_only=True):
    """A connected part of the topology between topics. Each of its partitions is a task."""

    index: int
    nodes: tuple[Node, ...]
    sources: tuple[SourceTopic, ...]
    sinks: tuple[str, ...]
    stores: tuple[StorePlan, ...]
    repartition_sinks: tuple[RepartitionSink, ...]
    program: SubtopologyProgram

    def store(self, name: str) -> StorePlan:
        """Raises KeyError."""
        return next(store for store in self.stores if store.name == name)


class CopartitionGroup(Struct, frozen=True, kw_only=True):
    """Source topics that must have the same number of partitions, because a join or cogroup reads them in pairs."""

    topics: tuple[str, ...]
    origin: SourceLine | None


class InternalTopic(Struct, frozen=True, kw_only=True):
    """A topic headrace creates for itself."""

    name: str
    partitions: int
    configs: Mapping[str, str]


class Plan(Struct, frozen=True, kw_only=True):
    """A compiled topology, before it is known how many partitions its topics have."""

    application_id: str
    subtopologies: tuple[Subtopology, ...]
    fixed_partitions: Mapping[str, int] = field(default_factory=dict[str, int])
    """Repartition topics whose count the user chose."""
    copartitioned: tuple[CopartitionGroup, ...] = ()
    global_tables: tuple[GlobalTable, ...] = ()
    """Tables that belong to no task; whoever runs tasks keeps them."""
    global_stores: tuple[StorePlan, ...] = ()
    """Their stores."""

    def source_topics(self) -> tuple[str, ...]:
        """The user's topics that are read, each once, in the order of declaration."""
        topics = [s.topic for sub in self.subtopologies for s in sub.sources if s.role != "repartition"]
        return tuple(dict.fromkeys([*topics, *(table.topic for table in self.global_tables)]))

    def offset_resets(self) -> dict[str, OffsetReset]:
        """Where the topics begin without a committed offset of which the topology says so, by name."""
        return {s.topic: s.reset for sub in self.subtopologies for s in sub.sources if s.reset is not None}

    def stores(self) -> Iterator[tuple[Subtopology, StorePlan]]:
        for subtopology in self.subtopologies:
            for store in subtopology.stores:
                yield subtopology, store

    def partitions(self, actual: Mapping[str, int]) -> PartitionPlan:
        """Fits the plan to the topics as they are.

        Args:
            actual: partition counts of (at least) the user's source topics.

        Raises:
            TopologyError: a source topic is missing, or topics that a join reads together differ in their counts.
        """
        missing = [topic for topic in self.source_topics() if topic not in actual]
        if missing:
            raise TopologyError([*self._missing(missing), *self._unequal(actual)])
        counts = {topic: actual[topic] for topic in self.source_topics()} | dict(self.fixed_partitions)
        self._settle(counts)
        unequal = list(self._unequal(counts))
        if unequal:
            raise TopologyError(unequal)
        tasks = [
            TaskId(sub.index, partition)
            for sub in self.subtopologies
            for partition in range(max(counts[source.topic] for source in sub.sources))
        ]
        return PartitionPlan(
            plan=self, counts=counts, tasks=tuple(tasks), internal_topics=tuple(self._internal(counts))
        )

    def _settle(self, counts: dict[str, int]) -> None:
        """Finds the counts of the repartition topics: that of the topics they are joined with, else the most of what
        feeds them and the repartition topics they are joined with. Source: `CopartitionedTopicsEnforcer`."""
        while True:
            for group in self.copartitioned:
                known = [counts[topic] for topic in group.topics if topic in counts]
                for topic in group.topics:
                    if known and topic not in counts:
                        counts[topic] = max(known)
            feeding = {
                sink.topic: max(counts[source.topic] for source in sub.sources)
                for sub in self.subtopologies
                if all(source.topic in counts for source in sub.sources)
                for sink in sub.repartition_sinks
            }
            open_topics = [topic for topic in feeding if topic not in counts]
            if not open_topics:
                return
            partners = {topic: self._joined_with(topic) for topic in open_topics}
            # Where none has all its partners at hand, one of them is fed by what this one feeds: it goes first.
            ready = [topic for topic in open_topics if partners[topic] <= feeding.keys()] or open_topics[:1]
            for topic in ready:
                most = max(feeding[partner] for partner in partners[topic] & feeding.keys() | {topic})
                counts.setdefault(topic, most)

    def _joined_with(self, topic: str) -> set[str]:
        """The topics that must have as many partitions."""
        return {partner for group in self.copartitioned if topic in group.topics for partner in group.topics}

    def _missing(self, topics: Sequence[str]) -> Iterator[TopologyProblem]:
        for topic in topics:
            readers: list[Node] = [
                n for sub in self.subtopologies for n in sub.nodes if isinstance(n, Source) and topic in n.topics
            ]
            readers += [table for table in self.global_tables if table.topic == topic]
            yield TopologyProblem(
                message=f"source topic {topic!r} does not exist: create it (headrace topics create {topic})",
                origin=readers[0].origin if readers else None,
            )

    def _unequal(self, counts: Mapping[str, int]) -> Iterator[TopologyProblem]:
        """Joins and cogroups whose topics, as far as they are known, differ in their counts."""
        for group in self.copartitioned:
            known = {topic: counts[topic] for topic in group.topics if topic in counts}
            if len(set(known.values())) > 1:
                yield TopologyProblem(
                    message="a join or cogroup needs topics with the same number of partitions, but "
                    + " and ".join(f"{topic!r} has {count}" for topic, count in known.items())
                    + ": repartition() one side, or create the topics with equal counts",
                    origin=group.origin,
                )

    def _internal(self, counts: Mapping[str, int]) -> Iterator[InternalTopic]:
        for sub in self.subtopologies:
            partitions = max(counts[source.topic] for source in sub.sources)
            for source in sub.sources:
                if source.role == "repartition":
                    yield InternalTopic(name=source.topic, partitions=counts[source.topic], configs=REPARTITION_CONFIGS)
            for store in sub.stores:
                if store.changelog is not None:
                    configs = store.changelog_configs
                    yield InternalTopic(name=store.changelog, partitions=partitions, configs=configs)


class PartitionPlan(Struct, frozen=True, kw_only=True):
    """A plan fitted to partition counts: the tasks there are, what each reads, and who writes what it reads."""

    plan: Plan
    counts: Mapping[str, int]
    tasks: tuple[TaskId, ...]
    internal_topics: tuple[InternalTopic, ...]

    def inputs(self, task: TaskId) -> tuple[tuple[str, int], ...]:
        """The (topic, partition) pairs the task reads; a topic with fewer partitions is not read by the later tasks."""
        sources = self.plan.subtopologies[task.subtopology].sources
        return tuple((s.topic, task.partition) for s in sources if task.partition < self.counts[s.topic])

    def tasks_of(self, subtopology: int) -> tuple[TaskId, ...]:
        return tuple(task for task in self.tasks if task.subtopology == subtopology)

    def upstream_tasks(self, topic: str) -> tuple[TaskId, ...]:
        """The tasks that write a repartition topic (none for a user's topic)."""
        writers: Sequence[Subtopology] = [
            sub for sub in self.plan.subtopologies if any(sink.topic == topic for sink in sub.repartition_sinks)
        ]
        return tuple(task for sub in writers for task in self.tasks_of(sub.index))
