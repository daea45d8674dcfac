"""How far time is behind a repartition topic, and the control record that says so.

The tasks that write a repartition topic read their own inputs each at its own pace, so the topic interleaves old and
new records. Each of those upstream tasks therefore says now and then how far it is: no record older than its
watermark will come from it any more. What a reader may believe is the least of them:

    upstream task   0_0   0_1   0_2   0_3         value
    heard so far     70    90     –    80    ->     -1    0_2 has said nothing yet
                     70    90    60    80    ->     60
                     70    90   idle   80    ->     70    idle tasks hold nobody back
                   idle  idle  idle  idle    -> UNBOUNDED

With a single upstream task the order of the topic is that task's own, and the value is always `UNBOUNDED`: a clock
behind it is Kafka's stream time.

The control record travels in every partition of the topic, between the data: null key, null value, and the header
`headrace-watermark` with what one process says of its tasks (`task_marks`).

A topic with a thousand upstream tasks is told of them by few processes, so the reader keeps tasks that were spoken of
together together (`upstream`): taking in a record costs by the number of processes, not of tasks.

Source: none in Kafka; the idea is Flink's watermarks, min over channels, with idleness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Protocol

from streams.compile.program import NO_LIMIT, Headers
from streams.plan.task_id import TaskId
from streams.runtime.task_marks import UNKNOWN, TaskMarks, bitmap, decode_marks, numbers
from streams.runtime.upstream import Upstream

UNBOUNDED = NO_LIMIT
WATERMARK_HEADER = "headrace-watermark"


class HasHeaders(Protocol):
    """The part of a message that tells a control record from data."""

    def headers(self) -> Headers | None: ...


class Watermark:
    """The watermark of one repartition source topic of one task.

    `value` (ms) is read by generated code. It never goes back, except when an idle upstream task returns.
    Owned by the stream thread.
    """

    __slots__ = ("_bounded", "_floor", "_upstream", "observed", "topic", "value")

    def __init__(self, topic: str, upstream: Collection[TaskId]) -> None:
        self.topic = topic
        self._upstream = {
            subtopology: Upstream(bitmap(task.partition for task in upstream if task.subtopology == subtopology))
            for subtopology in sorted({task.subtopology for task in upstream})
        }
        self._bounded = len(upstream) > 1
        self._floor: int | None = None
        self.value = UNKNOWN if self._bounded else UNBOUNDED
        self.observed = 0  # control records

    def observe(self, message: HasHeaders, /) -> bool:
        """Takes in a record with a null value: True if it was a control record (and is hereby done), else False."""
        headers = message.headers()
        if not headers:
            return False
        for name, payload in headers:
            if name == WATERMARK_HEADER and payload is not None:
                self.observed += 1
                if self._bounded:
                    self.update(decode_marks(payload))
                return True
        return False

    def update(self, marks: Iterable[TaskMarks]) -> None:
        """Takes in what upstream tasks said. Marks of tasks that no longer exist are passed over."""
        for subtopology, tasks, watermark, idle in marks_of(marks):
            upstream = self._upstream.get(subtopology)
            if upstream is not None:
                upstream.tell(tasks, watermark, idle=idle)
        self._settle()

    def _settle(self) -> None:
        self._floor = None
        if self._bounded:
            told = chain.from_iterable(upstream.told.values() for upstream in self._upstream.values())
            self.value = min((watermark for watermark, idle in told if not idle), default=UNBOUNDED)

    @property
    def silent(self) -> list[TaskId]:
        """The upstream tasks that hold everything back because they have said nothing yet."""
        if not self._bounded:
            return []
        return sorted(
            TaskId(subtopology, partition)
            for subtopology, upstream in self._upstream.items()
            for tasks, told in upstream.told.items()
            if told == (UNKNOWN, False)
            for partition in numbers(tasks)
        )

    @property
    def floor(self) -> int:
        """The least watermark of all upstream tasks, idle ones included; -1 while one has said nothing. It is what a
        task remembers: one number, whatever the number of those that write the topic."""
        if self._floor is None:
            told = chain.from_iterable(upstream.told.values() for upstream in self._upstream.values())
            self._floor = min((watermark for watermark, _ in told), default=UNKNOWN)
        return self._floor

    def restore(self, floor: int) -> None:
        """Takes over what was remembered: no upstream task is behind that.

        Those that were idle count as active until they speak again: while this task was away they may have got input.
        All of them speak within seconds, also those that have nothing new to say.
        """
        for upstream in self._upstream.values():
            upstream.tell(upstream.tasks, floor, idle=False)
        self._settle()


def marks_of(marks: Iterable[TaskMarks]) -> Iterable[tuple[int, int, int, bool]]:
    """Sub-topology, tasks as a bitmap, watermark, idle."""
    return ((m.subtopology, int.from_bytes(m.tasks, "little"), m.watermark, m.idle) for m in marks)
