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
`headrace-watermark` with the marks of all tasks of one process as MessagePack:
`[[subtopology, partition, watermark in ms, idle], …]`.

Source: none in Kafka; the idea is Flink's watermarks, min over channels, with idleness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from streams.compile.program import NO_LIMIT, Headers
from streams.plan.task_id import TaskId

UNBOUNDED = NO_LIMIT
UNKNOWN = -1
WATERMARK_HEADER = "headrace-watermark"


class TaskMark(msgspec.Struct, frozen=True, array_like=True):
    """What one upstream task says of itself. `watermark` is in ms; -1 while the task has read nothing."""

    subtopology: int
    partition: int
    watermark: int
    idle: bool


class HasHeaders(Protocol):
    """The part of a message that tells a control record from data."""

    def headers(self) -> Headers | None: ...


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(list[TaskMark])


def encode_marks(marks: Iterable[TaskMark]) -> bytes:
    """The payload of a control record."""
    return ENCODER.encode(list(marks))


def decode_marks(payload: bytes) -> list[TaskMark]:
    """Raises msgspec.DecodeError if the payload is not that of a control record."""
    return DECODER.decode(payload)


class Watermark:
    """The watermark of one repartition source topic of one task.

    `value` (ms) is read by generated code. It never goes back, except when an idle upstream task returns.
    Owned by the stream thread.
    """

    __slots__ = ("_bounded", "_idle", "_marks", "_upstream", "observed", "topic", "value")

    def __init__(self, topic: str, upstream: Collection[TaskId]) -> None:
        self.topic = topic
        self._upstream = frozenset((task.subtopology, task.partition) for task in upstream)
        self._bounded = len(self._upstream) > 1
        self._marks: dict[tuple[int, int], int] = {}
        self._idle: set[tuple[int, int]] = set()
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

    def update(self, marks: Iterable[TaskMark]) -> None:
        """Takes in what upstream tasks said. Marks of tasks that no longer exist are passed over."""
        for mark in marks:
            task = (mark.subtopology, mark.partition)
            if task not in self._upstream:
                continue
            known = self._marks.get(task, UNKNOWN)
            if mark.idle:
                self._idle.add(task)
                self._marks[task] = max(known, mark.watermark)
            elif task in self._idle:
                self._idle.discard(task)
                self._marks[task] = mark.watermark
            else:
                self._marks[task] = max(known, mark.watermark)
        self._settle()

    def _settle(self) -> None:
        if self._bounded:
            marks, active = self._marks, self._upstream - self._idle
            self.value = min((marks.get(task, UNKNOWN) for task in active), default=UNBOUNDED)

    @property
    def silent(self) -> list[TaskId]:
        """The upstream tasks that hold everything back because they have said nothing yet."""
        known = (task for task, mark in self._marks.items() if mark != UNKNOWN)
        return sorted(TaskId(*task) for task in self._upstream - self._idle.union(known)) if self._bounded else []

    def snapshot(self) -> bytes:
        """What is known, for the task's metadata."""
        return encode_marks(
            TaskMark(subtopology, partition, mark, (subtopology, partition) in self._idle)
            for (subtopology, partition), mark in sorted(self._marks.items())
        )

    def restore(self, snapshot: bytes) -> None:
        """Takes over a snapshot.

        Upstream tasks that were idle count as active at their last watermark until they speak again: while this task
        was away they may have got input, and they repeat their idleness within seconds if they have not.
        """
        for mark in decode_marks(snapshot):
            task = (mark.subtopology, mark.partition)
            if task in self._upstream:
                self._marks[task] = max(self._marks.get(task, UNKNOWN), mark.watermark)
        self._settle()
