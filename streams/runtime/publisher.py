"""When a process says how far its tasks are, and in which words. Pure: told the time, it returns what to send.

For each repartition topic one record carries the marks of all tasks of this process that write it, and goes into
every partition of the topic. It is sent

- every `interval` while what it says changes. Of a topic with many partitions that is rarer than every 500 ms, so that
  all processes together send 2,000 records per second; how many processes there are is told from this one's share of
  the upstream tasks. A single one sends 200 per second whatever the others do: with those, a thousand partitions hear
  of time every 5 s at the latest;
- every 10 s while it does not, because readers that come later, and purged topics, have lost the old ones;
- at once when a task starts here, or returns from idleness: the mark must lie before the records that follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.progress import Progress
from streams.runtime.task_marks import UNKNOWN, TaskMarks, encode_marks

RECORDS_PER_S = 2_000
"""Control records of a topic, from all processes."""
PROCESS_RECORDS_PER_S = 200
"""Of those, a process may send so many at least: what it costs readers is 2 ms of each second."""

Measure = Callable[[int], Progress]
"""Given the least value it may take, a task's progress towards one sink now."""


class PublishedTopic(NamedTuple):
    """A repartition topic with several upstream tasks (`upstream` of them, in all processes)."""

    partitions: int
    upstream: int


class Publication(NamedTuple):
    """A control record, to be sent to every one of the topic's partitions. `timestamp` in ms: old enough that no
    reader that merges inputs by time lets it wait."""

    topic: str
    partitions: int
    timestamp: int
    payload: bytes


class WatermarkPublisher:
    """Owned by the stream thread. Times are ms of any monotonic clock."""

    def __init__(self, topics: Mapping[str, PublishedTopic], *, interval_ms: int, repeat_ms: int) -> None:
        self._topics = {name: _TopicMarks(name, topic, interval_ms, repeat_ms) for name, topic in topics.items()}

    def add(self, task: TaskId, measures: Mapping[str, Measure]) -> None:
        """A task starts here. `measures`: one for each of its repartition sinks; those without marks are ignored."""
        for topic, measure in measures.items():
            if topic in self._topics:
                self._topics[topic].add(task, measure)

    def remove(self, tasks: Collection[TaskId]) -> None:
        """Tasks stop here; nothing more is said about them."""
        for topic in self._topics.values():
            topic.remove(tasks)

    def awake(self, task: TaskId) -> None:
        """A task that may have been published as idle has got input: say so with the next `due`."""
        for topic in self._topics.values():
            topic.awake(task)

    def due(self, now: int) -> list[Publication]:
        """What is to be sent now."""
        return [publication for topic in self._topics.values() if (publication := topic.due(now)) is not None]

    def next_due(self, now: int) -> int:
        """The ms from `now` until `due` may have something."""
        return min((max(topic.next_at - now, 0) for topic in self._topics.values() if topic.marks), default=3_600_000)


class _TopicMarks:
    """What this process last said in one topic."""

    def __init__(self, name: str, topic: PublishedTopic, interval_ms: int, repeat_ms: int) -> None:
        self.name = name
        self.partitions = topic.partitions
        self.upstream = topic.upstream
        self.least_interval_ms = interval_ms
        self.repeat_ms = repeat_ms
        self.measures: dict[TaskId, Measure] = {}
        self.marks: dict[TaskId, Progress] = {}
        self.told = b""
        self.urgent = False
        self.next_at = 0
        self.repeat_at = 0

    def add(self, task: TaskId, measure: Measure) -> None:
        self.measures[task] = measure
        self.marks[task] = Progress(UNKNOWN, False)
        self.urgent = True
        self.next_at = 0

    def remove(self, tasks: Collection[TaskId]) -> None:
        for task in tasks:
            self.measures.pop(task, None)
            self.marks.pop(task, None)

    def awake(self, task: TaskId) -> None:
        mark = self.marks.get(task)
        if mark is not None and mark.idle:
            self.urgent = True
            self.next_at = 0

    @property
    def interval_ms(self) -> int:
        """How long to wait until the next one: there are upstream / own tasks such processes as this one."""
        share = max(RECORDS_PER_S * len(self.measures) // self.upstream, PROCESS_RECORDS_PER_S)
        return max(self.least_interval_ms, self.partitions * 1000 // share)

    def due(self, now: int) -> Publication | None:
        if now < self.next_at or not self.measures:
            return None
        marks = {task: measure(self.marks[task].watermark) for task, measure in self.measures.items()}
        self.next_at = now + self.interval_ms
        self.marks, payload = marks, encode_marks(joint_marks(marks))
        if payload == self.told and not self.urgent and now < self.repeat_at:
            return None
        self.told, self.urgent, self.repeat_at = payload, False, now + self.repeat_ms
        active = [mark.watermark for mark in marks.values() if not mark.idle]
        return Publication(
            topic=self.name,
            partitions=self.partitions,
            timestamp=max(min(active, default=0), 0),
            payload=payload,
        )


def joint_marks(progress: Mapping[TaskId, Progress]) -> list[TaskMarks]:
    """What the tasks of one process say together: those of a sub-topology that move, those that are idle, and those
    that have read nothing yet, which must not keep the others from being heard."""
    alike: dict[tuple[int, bool, bool], list[int]] = {}
    least: dict[tuple[int, bool, bool], int] = {}
    for task, (watermark, idle) in progress.items():
        kind = (task.subtopology, idle, watermark == UNKNOWN)
        alike.setdefault(kind, []).append(task.partition)
        least[kind] = min(watermark, least.get(kind, watermark))
    return [TaskMarks.of(kind[0], alike[kind], least[kind], idle=kind[1]) for kind in sorted(alike)]


def published_topics(plan: PartitionPlan) -> dict[str, PublishedTopic]:
    """The repartition topics that carry watermarks: those with more than one upstream task."""
    topics: dict[str, PublishedTopic] = {}
    for sub in plan.plan.subtopologies:
        for sink in sub.repartition_sinks:
            upstream = len(plan.upstream_tasks(sink.topic))
            if upstream > 1:
                topics[sink.topic] = PublishedTopic(plan.counts[sink.topic], upstream)
    return topics
