"""Positions of topics that reach a store through repartition topics.

Somebody wrote a record into a source topic and wants to read what came of it, but the store is behind a repartition.
Once the group has committed the record's offset, what came of it lies in the repartition topic, before its end of then.
So a bound on the source becomes one on the repartition topic, and so on down to the store. Source: none; Kafka Streams'
position bounds end at the sub-topology.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka.admin import AdminClient

from streams.errors import StreamsError
from streams.plan.plan import PartitionPlan, Subtopology
from streams.query.bounds import Bound
from streams.query.catalog import Entry
from streams.query.position import Place, position_text
from streams.query.problem import Behind, NotReady, Problem
from streams.query.subject import Subject
from streams.runtime.internal_topics import admin_client
from streams.runtime.log_ends import BrokerLogEnds, connected
from streams.wire.client import Client
from streams.wire.errors import WireError
from streams.wire.group_offsets import committed_offsets

LOOK_AGAIN_S = 0.02
ANSWER_WAIT_S = 10.0


class GroupLog:
    """What the broker knows of an application: its committed offsets, and where topics end. Its calls block."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._admin: AdminClient | None = None
        self._ends: BrokerLogEnds | None = None

    def committed(self, places: Mapping[Place, int]) -> dict[Place, int]:
        """The committed offsets of those that have any, without those that an open transaction commits. Raises
        StreamsError."""
        group = self._subject.application_id
        client = Client.of(self._subject.options.client("upstream"))
        try:
            return committed_offsets(client, {group: places}, stable=True, timeout_s=ANSWER_WAIT_S)[group]
        except WireError as error:
            raise StreamsError(f"the broker did not say what the application has committed: {error}") from error

    def ends(self, places: list[Place]) -> Mapping[Place, int]:
        """Raises StreamsError."""
        if self._ends is None:
            self._ends = BrokerLogEnds(self._open, self._client(places))
        return self._ends.request(places).result(ANSWER_WAIT_S)

    def _client(self, places: Iterable[Place]) -> AdminClient:
        if self._admin is None:
            topic, _ = next(iter(places))
            self._admin = connected(self._open(), topic, ANSWER_WAIT_S)
        return self._admin

    def _open(self) -> AdminClient:
        return admin_client(self._subject.options)


class Upstream:
    """Makes bounds out of bounds. Owned by the query server's loop."""

    def __init__(self, subject: Subject, log: GroupLog) -> None:
        self._subject = subject
        self._log = log

    async def resolved(self, entry: Entry, bound: Bound, deadline: float) -> Bound:
        """The bound, and what it means for the inputs of the store's tasks.

        Raises:
            Problem: it names a topic of which nothing reaches the store.
            Behind: the application has not come so far by the deadline (of the loop's clock).
            NotReady: the broker does not answer.
        """
        foreign = {place for place in bound if place[0] not in entry.topics}
        if not foreign:
            return bound
        plan = self._subject.partitions
        assert plan is not None, "an entry is made of a plan"
        above = set[str]() if entry.subtopology is None else topics_above(plan, entry.subtopology)
        unknown = sorted({topic for topic, _ in foreign} - above)
        if unknown:
            raise Problem(
                f"store {entry.name!r} holds nothing of {', '.join(unknown)}: a position of it is of "
                f"{', '.join(sorted(above | entry.topics))}",
                store=entry.name,
            )
        assert entry.subtopology is not None
        return await self._pushed(plan, entry, entry.subtopology, dict(bound), set(), deadline)

    async def _pushed(
        self,
        plan: PartitionPlan,
        entry: Entry,
        target: Subtopology,
        bound: dict[Place, int],
        done: set[int],
        deadline: float,
    ) -> dict[Place, int]:
        for topic, writer in writers(plan, target):
            if writer.index not in done:
                done.add(writer.index)
                bound = await self._pushed(plan, entry, writer, bound, done, deadline)
            inputs = {source.topic for source in writer.sources}
            part = {place: offset for place, offset in bound.items() if place[0] in inputs}
            if part:
                await self._committed(entry, part, deadline)
                ends = await self._asked(entry, self._log.ends, [(topic, n) for n in range(plan.counts[topic])])
                bound |= {place: max(end - 1, bound.get(place, 0)) for place, end in ends.items() if end > 0}
        return bound

    async def _committed(self, entry: Entry, part: dict[Place, int], deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            known = await self._asked(entry, self._log.committed, part)
            left = {place: offset for place, offset in part.items() if known.get(place, 0) <= offset}
            if not left:
                return
            if loop.time() >= deadline:
                position = position_text({place: known[place] - 1 for place in left if known.get(place)})
                raise Behind(
                    f"the application is at {position or 'the beginning'}, and not yet at {position_text(left)}: ask "
                    "again, or let it wait longer (wait_ms)",
                    store=entry.name,
                    details={"position": position, "wanted": position_text(left)},
                )
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _asked(self, entry: Entry, ask: Callable[[Any], Any], places: Any) -> Any:
        try:
            return await asyncio.to_thread(ask, places)
        except StreamsError as error:
            raise NotReady("unreachable", str(error), store=entry.name) from error


def writers(plan: PartitionPlan, target: Subtopology) -> list[tuple[str, Subtopology]]:
    """The repartition topics that a sub-topology reads, each with those who write it."""
    return [
        (source.topic, sub)
        for source in target.sources
        if source.role == "repartition"
        for sub in plan.plan.subtopologies
        if any(sink.topic == source.topic for sink in sub.repartition_sinks)
    ]


def topics_above(plan: PartitionPlan, target: Subtopology) -> set[str]:
    """The topics that reach a sub-topology through repartition topics."""
    found, left, seen = set[str](), [target], {target.index}
    while left:
        for _, writer in writers(plan, left.pop()):
            found |= {source.topic for source in writer.sources}
            if writer.index not in seen:
                seen.add(writer.index)
                left.append(writer)
    return found
