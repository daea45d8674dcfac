"""One task of a topology that a test drives step by step: records, time, and answers of asynchronous functions."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from stores import MemoryTaskState
from streams import App
from streams.compile.program import NO_LIMIT, RecordFailure, TaskBinding
from streams.observe import Counters
from streams.plan.task_id import TaskId
from streams.testing.call_loop import TestCallLoop
from streams.testing.message import DriverMessage
from tests.streams.topology.test_compile import Watermark


class OneTask:
    """The task that reads `topic`. Input it does not take at once is taken when there is room.

    `sent` is what it produced: topic, key, value, timestamp, headers; `failed` what failed and was skipped.
    """

    def __init__(self, app: App, topic: str = "in", *, watermark: int = NO_LIMIT, may_skip: bool = False) -> None:
        self.topic = topic
        plan = app.plan()
        sub = next(s for s in plan.subtopologies if any(source.topic == topic for source in s.sources))
        self.calls = TestCallLoop()
        self.counters = Counters()
        self.sent: list[tuple[Any, ...]] = []
        self.failed: list[RecordFailure] = []
        self.wall_clock = 0
        state = MemoryTaskState.open([store.spec for store in sub.stores])
        self.program = sub.program.bind(
            TaskBinding(
                application_id="app",
                task_id=TaskId(sub.index, 0),
                stores={store.name: state.store(store.name) for store in sub.stores},
                produce=self._produce,
                produce_full=self._produce,
                watermarks={s.topic: Watermark(watermark) for s in sub.sources if s.role == "repartition"},
                counters=self.counters,
                wall_clock=lambda: self.wall_clock,
                calls=self.calls,
                may_skip=may_skip,
            )
        )
        self.program.processors.start()
        self._may_skip = may_skip
        self._log: list[DriverMessage] = []
        self._at = 0

    def _produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        self.sent.append((topic, key, value, rest[-2], rest[-1]))

    @property
    def in_flight(self) -> int:
        return 0 if self.program.in_flight is None else self.program.in_flight.count

    @property
    def taken(self) -> int:
        """How many records it has taken."""
        return self._at

    def pipe(self, *records: tuple[str | None, bytes | None, int], headers: Any = None) -> None:
        """Gives it records: key, value, timestamp."""
        for key, value, ts in records:
            raw = None if key is None else key.encode()
            self._log.append(DriverMessage(self.topic, len(self._log), raw, value, ts, headers))
        self.go()

    def watermark(self, time: int) -> None:
        """A control record."""
        self.pipe((None, None, 0), headers=[("mark", b"%d" % time)])

    def go(self) -> None:
        """Takes input as long as there is room."""
        while True:
            before = self._at
            if self._at < len(self._log):
                self._at = self.program.sources[self.topic].run(self._log, self._at, len(self._log), NO_LIMIT)
            self._settle()
            if self._at == before:
                return

    def work(self, seconds: float) -> None:
        """Lets functions run for as long, or until one has answered."""
        self.calls.wait(seconds)
        self.go()

    def finish(self) -> None:
        """Until nothing is left to do."""
        in_flight = self.program.in_flight
        self.go()
        while in_flight is not None and (in_flight.count or self._at < len(self._log)):
            in_flight.ending = self._at == len(self._log) or not in_flight.calling
            self.work(1.0)
            in_flight.ending = False

    def _settle(self) -> None:
        while True:
            try:
                self.program.settle()
                return
            except RecordFailure as failure:
                if not self._may_skip:
                    raise
                self.failed.append(failure)

    def __enter__(self) -> OneTask:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.program.in_flight is not None:
            self.program.in_flight.close()
        self.calls.close()
