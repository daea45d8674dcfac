"""The tasks of a topology, one each, behind repartition topics whose watermarks the test moves."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from stores import MemoryTaskState
from streams import App
from streams.compile.program import NO_LIMIT, TaskBinding, TaskProgram
from streams.observe import Counters
from streams.plan.plan import RepartitionSink, Subtopology
from streams.plan.task_id import TaskId
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.global_state import Surroundings
from streams.runtime.progress import InputProgress, progress
from streams.testing.call_loop import TestCallLoop
from streams.testing.global_tables import DriverGlobalTables
from streams.testing.message import DriverMessage
from tests.streams.topology.test_compile import Watermark

UNKNOWN = -1


class Sent(NamedTuple):
    """A record that came to a topic; `promised` is what the topic's watermark was then."""

    key: bytes | None
    value: bytes | None
    ts: int
    promised: int


class Relay:
    """Records are piped into the repartition topics of the cases, `first` and `other-first`, as if the tasks above had
    sent them. What one task sends to another gets there at once; how far time is gets there with `tell`.

    Args:
        watermark: of every repartition topic at first; `NO_LIMIT`: their clocks are not held back, ever.
    """

    def __init__(self, app: App, *, watermark: int) -> None:
        plan = app.plan()
        failures = FailurePolicy(deserialization="fail", processing="fail")
        self._globals = DriverGlobalTables(plan.global_tables, None, failures, Surroundings("app", lambda: 0))
        self._held = watermark != NO_LIMIT
        self._queue: deque[DriverMessage] = deque()
        self._calls = TestCallLoop()
        self._watermarks = {
            source.topic: Watermark(watermark)
            for sub in plan.subtopologies
            for source in sub.sources
            if source.role == "repartition"
        }
        self._promised: dict[str, int] = {}
        self.sent: dict[str, list[Sent]] = {}
        self._tasks: list[tuple[Subtopology, TaskProgram]] = []
        for sub in plan.subtopologies:
            state = MemoryTaskState.open([store.spec for store in sub.stores])
            program = sub.program.bind(
                TaskBinding(
                    application_id="app",
                    task_id=TaskId(sub.index, 0),
                    stores={**self._globals.stores, **state.stores},
                    produce=self._produce,
                    produce_full=self._produce,
                    watermarks={s.topic: self._watermarks[s.topic] for s in sub.sources if s.role == "repartition"},
                    counters=Counters(),
                    wall_clock=lambda: 0,
                    calls=self._calls,
                )
            )
            program.processors.start()
            self._tasks.append((sub, program))

    def _produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        self.sent.setdefault(topic, []).append(Sent(key, value, rest[-2], self._promised.get(topic, UNKNOWN)))
        self._queue.append(DriverMessage(topic, 0, key, value, rest[-2], None))

    def pipe(self, topic: str, key: bytes | None, value: bytes | None, ts: int) -> None:
        self._queue.append(DriverMessage(topic, 0, key, value, ts, None))
        self._settle()

    def _settle(self) -> None:
        while self._queue:
            message = self._queue.popleft()
            for _, program in self._tasks:
                if message.topic() in program.sources:
                    while program.sources[message.topic()].run([message], 0, 1, NO_LIMIT) == 0:
                        self._let_out(program)
            if not self._queue:
                for _, program in self._tasks:
                    self._let_out(program)

    def _let_out(self, program: TaskProgram) -> None:
        """All that is in flight; until then records and watermarks pile up in it."""
        in_flight = program.in_flight
        if in_flight is not None:
            in_flight.ending = True
            while in_flight.count:
                program.settle()
                if in_flight.calling:
                    self._calls.wait(1.0)
            program.settle()
            in_flight.ending = False
            self._calls.close()  # opened again by the next call: nobody closes a relay

    def advance(self, time: int) -> None:
        """The tasks above `first` and `other-first` say that they are at `time`; and all below tell on."""
        for name in ("first", "other-first"):
            self._mark(f"app-{name}-repartition", time)
        self.tell()

    def _mark(self, topic: str, time: int) -> None:
        """A control record in a repartition topic."""
        if topic in self._watermarks:
            self._queue.append(DriverMessage(topic, 0, None, None, 0, [("mark", b"%d" % time)]))
            self._settle()

    def tell(self) -> None:
        """Every task but the first ones publishes its progress, upstream first; again for what goes back up."""
        for sub, program in self._tasks * 2:
            if any(source.role != "repartition" for source in sub.sources):
                continue  # its part is played by the test
            for sink in sub.repartition_sinks:
                self._promised[sink.topic] = time = self._progress(sub, program, sink)
                if self._held:
                    self._mark(sink.topic, time)

    @property
    def topics(self) -> set[str]:
        """The repartition topics."""
        return set(self._watermarks)

    def promised(self, topic: str) -> int:
        """What the watermark of a topic is, -1 before it is known."""
        return self._promised.get(topic, UNKNOWN)

    def _progress(self, sub: Subtopology, program: TaskProgram, sink: RepartitionSink) -> int:
        inputs = [
            InputProgress(program.sources[topic].max_timestamp, self._watermarks[topic].value, quiet=False)
            for topic in sink.sources
        ]
        holding = [time for label, time in program.holding().items() if label in sink.holders]
        return progress(inputs, sink.hold_back_ms, self.promised(sink.topic), holding).watermark
