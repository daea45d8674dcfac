"""What a task tells of its progress: that of its input, as far as it is out of tables and of flight."""

from __future__ import annotations

from collections.abc import Callable

from streams.compile.program import TaskProgram
from streams.plan.plan import RepartitionSink, Subtopology
from streams.runtime.buffers import TaskInputs
from streams.runtime.progress import InputProgress, Progress, progress
from streams.runtime.task_marks import UNKNOWN

NOTHING_KNOWN = Progress(UNKNOWN, False)


class TaskProgress:
    """Owned by the task."""

    def __init__(self, subtopology: Subtopology, program: TaskProgram, inputs: TaskInputs) -> None:
        self._subtopology = subtopology
        self._program = program
        self._inputs = inputs
        self._flushed: dict[str, Progress] = {}
        """Sink -> progress when tables last forwarded what they had held back for the commit."""
        self._out: dict[str, Progress] = {}
        """Sink -> progress when the last record that is out of flight had come in."""
        self._following: set[str] = set()
        """Sinks whose next progress goes through the lines just now."""
        self._measures: dict[str, Callable[[int], Progress]] = {}

    def flushed(self) -> None:
        """Tables have forwarded what they held back for the commit."""
        if self._subtopology.program.emits_at_commit:
            for topic, measure in self._measures.items():
                self._flushed[topic] = measure(self._flushed.get(topic, NOTHING_KNOWN).watermark)

    def measures(self, clock: Callable[[], int], idle_timeout_ms: int) -> dict[str, Callable[[int], Progress]]:
        """For each repartition sink, what tells the task's progress towards it.

        Where tables forward at the commit it is the progress of then: what they hold is older than what was read since.
        """

        def measure(sink: RepartitionSink) -> Callable[[int], Progress]:
            sources = frozenset(sink.sources)
            buffers = [buffer for buffer in self._inputs.buffers if buffer.topic in sources]

            def told(previous: int) -> Progress:
                now = clock()
                read = progress(
                    (
                        InputProgress(
                            buffer.source.max_timestamp,
                            buffer.watermark_value(),
                            buffer.is_quiet(now, idle_timeout_ms),
                        )
                        for buffer in buffers
                    ),
                    sink.hold_back_ms,
                    previous,
                    self._holding(sink),
                )
                return read if self._program.in_flight is None else self._passed(sink, read, previous)

            return told

        def at_flush(topic: str) -> Callable[[int], Progress]:
            def told(previous: int) -> Progress:
                flushed = self._flushed.get(topic, NOTHING_KNOWN)
                # that input has come is told at once: before what comes of it
                idle = flushed.idle and self._measures[topic](previous).idle
                return Progress(max(flushed.watermark, previous), idle)

            return told

        self._measures = {sink.topic: measure(sink) for sink in self._subtopology.repartition_sinks}
        if self._subtopology.program.emits_at_commit:
            return {topic: at_flush(topic) for topic in self._measures}
        return self._measures

    def _holding(self, sink: RepartitionSink) -> list[int]:
        """The clocks of the operators before a sink that hold records back just now."""
        return [time for label, time in self._program.holding().items() if label in sink.holders]

    def _passed(self, sink: RepartitionSink, read: Progress, previous: int) -> Progress:
        """The progress towards a sink, where records in flight may come to it: that of the input before them."""
        in_flight, topic = self._program.in_flight, sink.topic
        assert in_flight is not None
        if topic not in self._following:
            self._following.add(topic)

            def passed() -> None:
                self._following.discard(topic)
                # what came out may be held back now, by a clock that is behind the input
                least = min((time - sink.hold_back_ms for time in self._holding(sink)), default=read.watermark)
                self._out[topic] = Progress(min(least, read.watermark), read.idle)

            in_flight.follow(passed)
        out = self._out.get(topic, NOTHING_KNOWN)
        return Progress(max(out.watermark, previous), out.idle and read.idle and not in_flight.count)
