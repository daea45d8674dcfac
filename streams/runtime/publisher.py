"""When a process says how far its tasks are, and in which words. Pure: told the time, it returns what to send.

For each repartition topic one record carries the marks of all tasks of this process that write it, and goes into
every partition of the topic. It is sent

- every `interval` while a mark moves, where interval = max(500 ms, upstream tasks × partitions / 2,000 s), which bounds
  the records per second whatever the number of tasks;
- every 10 s while none moves, because readers that come later, and purged topics, have lost the old ones;
- at once when a task starts here, or returns from idleness: the mark must lie before the records that follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.progress import Progress
from streams.runtime.watermark import UNKNOWN, TaskMark, encode_marks

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
        self._topics = {
            name: _TopicMarks(name, topic, max(interval_ms, topic.upstream * topic.partitions // 2), repeat_ms)
            for name, topic in topics.items()
        }

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
        self.interval_ms = interval_ms
        self.repeat_ms = repeat_ms
        self.measures: dict[TaskId, Measure] = {}
        self.marks: dict[TaskId, Progress] = {}
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

    def due(self, now: int) -> Publication | None:
        if now < self.next_at or not self.measures:
            return None
        marks = {task: measure(self.marks[task].watermark) for task, measure in self.measures.items()}
        self.next_at = now + self.interval_ms
        if marks == self.marks and not self.urgent and now < self.repeat_at:
            return None
        self.marks, self.urgent, self.repeat_at = marks, False, now + self.repeat_ms
        active = [mark.watermark for mark in marks.values() if not mark.idle]
        return Publication(
            topic=self.name,
            partitions=self.partitions,
            timestamp=max(min(active, default=0), 0),
            payload=encode_marks(
                TaskMark(task.subtopology, task.partition, mark.watermark, mark.idle) for task, mark in marks.items()
            ),
        )


def published_topics(plan: PartitionPlan) -> dict[str, PublishedTopic]:
    """The repartition topics that carry watermarks: those with more than one upstream task."""
    topics: dict[str, PublishedTopic] = {}
    for sub in plan.plan.subtopologies:
        for sink in sub.repartition_sinks:
            upstream = len(plan.upstream_tasks(sink.topic))
            if upstream > 1:
                topics[sink.topic] = PublishedTopic(plan.counts[sink.topic], upstream)
    return topics
