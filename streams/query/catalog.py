"""The stores of an application as questions name them."""

from __future__ import annotations

import difflib

from msgspec import Struct

from stores import BufferSpec
from streams.partitioner import partition_for_key
from streams.plan.plan import PartitionPlan, StorePlan, Subtopology
from streams.plan.task_id import TaskId
from streams.query.problem import Problem, UnknownStore
from streams.query.rows import Rows


class Entry(Struct, frozen=True, kw_only=True, eq=False):
    """A store: its plan, the sub-topology whose tasks have it (None: a global store), in how many partitions."""

    plan: StorePlan
    subtopology: Subtopology | None
    partitions: int
    certain: bool
    """Whether we wrote what fills it, by its keys: then a key is nowhere but in the partition of its hash. A user's
    topic may have been written with another partitioner, and a processor may put any key anywhere."""
    rows: Rows
    topics: frozenset[str]
    """What its position is of: the topics its tasks read, or the one it is a copy of."""

    @property
    def name(self) -> str:
        return self.plan.name

    def partition_of(self, key: bytes) -> int:
        return partition_for_key(key, self.partitions)

    def task(self, partition: int) -> TaskId:
        assert self.subtopology is not None
        return TaskId(self.subtopology.index, partition)


class Catalog:
    """The stores of a plan. Immutable."""

    def __init__(self, plan: PartitionPlan) -> None:
        self.plan = plan
        self.entries: dict[str, Entry] = {}
        by_key = {sink.topic for each in plan.plan.subtopologies for sink in each.repartition_sinks if sink.by_key}
        for subtopology, store in plan.plan.stores():
            counts = {plan.counts[source.topic] for source in subtopology.sources}
            ours = all(source.topic in by_key for source in subtopology.sources)
            self.entries[store.name] = Entry(
                plan=store,
                subtopology=subtopology,
                partitions=max(counts),
                certain=ours and len(counts) == 1 and store.aggregation is not None,
                rows=Rows(store),
                topics=frozenset(source.topic for source in subtopology.sources),
            )
        filled = {table.store.name: table.topic for table in plan.plan.global_tables}
        for store in plan.plan.global_stores:
            self.entries[store.name] = Entry(
                plan=store,
                subtopology=None,
                partitions=1,
                certain=True,
                rows=Rows(store),
                topics=frozenset({filled[store.name]}),
            )

    def find(self, name: str) -> Entry:
        """Raises UnknownStore; Problem if what the store holds is nothing to be read."""
        entry = self.entries.get(name)
        if entry is None:
            near = difflib.get_close_matches(name, self.entries, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            known = ", ".join(sorted(self.entries)) or "none"
            raise UnknownStore(f"there is no store {name!r}{hint}; the application has: {known}")
        if isinstance(entry.plan.spec, BufferSpec):
            raise Problem(f"store {name!r} holds records that wait for their time: it cannot be asked", store=name)
        return entry
