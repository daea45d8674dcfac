"""`TopologyTestDriver`: runs a topology in the test's own thread, without a broker.

It runs the same compiled functions as a worker, with one partition per topic. Every piped record is processed
completely, records of internal topics included, and committed before `pipe` returns.
Source: `org.apache.kafka.streams.TopologyTestDriver`.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from stores import KeyedWindowStore, MemoryTaskState, SessionStore, Store, TaskState, TimeBuffer, WindowStore
from streams.app import App
from streams.compile.program import NO_LIMIT, Headers, RecordFailure, TaskBinding, TaskProgram
from streams.errors import QueryError
from streams.graph.schema import Part, Schema
from streams.observe import Counters
from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.operators.source import Source
from streams.plan.plan import StorePlan, Subtopology
from streams.plan.task_id import TaskId
from streams.runtime.failures import describe_failure
from streams.serde import Serde, serde_for
from streams.testing.global_tables import DriverGlobalTables
from streams.testing.message import DriverMessage
from streams.testing.topics import InputTopic, OutputTopic, TestRecord


class TopologyTestDriver:
    """Runs `app`'s topology synchronously.

    Args:
        stores: where state lives, in memory or in RocksDB (in a temporary directory).
        start: timestamp in ms of the first record piped without one.

    Use it as a context manager, or call `close()`. Raises TopologyError like `app.plan()`.
    """

    def __init__(self, app: App, *, stores: Literal["memory", "rocksdb"] = "memory", start: int = 0) -> None:
        self._plan = app.plan()
        self.application_id = self._plan.application_id
        self._directory = tempfile.TemporaryDirectory(prefix="headrace-driver-")
        self._in_memory = stores == "memory"
        self.global_tables = DriverGlobalTables(
            self._plan.global_tables, None if self._in_memory else Path(self._directory.name) / "global"
        )
        self._tasks = [_DriverTask(self, subtopology) for subtopology in self._plan.subtopologies]
        self._readers = {source.topic: task for task in self._tasks for source in task.subtopology.sources}
        self._queue: deque[DriverMessage] = deque()
        self._offsets: dict[str, int] = {}
        self._written: dict[str, deque[DriverMessage]] = {}
        self.now = start
        self._wall_clock = start
        try:
            for task in self._tasks:
                task.start()
        except BaseException:
            self.close()
            raise

    # -- the test's side --------------------------------------------------------------------------------------------
    def input_topic(self, name: str, *, key: Any = None, value: Any = None) -> InputTopic:
        """The handle that pipes records into `name`. `key` and `value` default to the types the topology declared."""
        task = self._readers.get(name)
        entry = task.entry(name) if task else None
        schema = entry.schema if entry else self.global_tables.schema(name)
        if schema is None:
            known = ", ".join(sorted(self._plan.source_topics()))
            raise KeyError(f"the topology reads no topic {name!r}; it reads {known}")
        return InputTopic(name, *_serdes(schema, key, value), driver=self)

    def output_topic(self, name: str, *, key: Any = None, value: Any = None) -> OutputTopic:
        """The handle that reads what came to `name`. `key` and `value` default to what the topology writes there."""
        schema = Schema(Part(bytes), Part(bytes))
        for subtopology in self._plan.subtopologies:
            for node in subtopology.nodes:
                if isinstance(node, Sink | Repartition) and (node.topic == name or not isinstance(node.topic, str)):
                    schema = node.schema
                    break
        return OutputTopic(name, *_serdes(schema, key, value), self._written.setdefault(name, deque()))

    def store(self, name: str) -> Store:
        """A state store by name, with the keys as bytes and the rows as the topology keeps them.

        Raises QueryError naming the stores there are.
        """
        if name in self.global_tables.stores:
            return self.global_tables.stores[name]
        return self._find(name)[0].state.store(name)

    def rows(self, name: str) -> dict[Any, tuple[Any, int]]:
        """A store's rows as users see them: key (windowed: `(key, start)`, sessions: `(key, start, end)`) -> (value,
        timestamp)."""
        shared = self.global_tables.rows(name)
        if shared is not None:
            return shared
        task, plan = self._find(name)
        store = task.state.store(name)
        read = plan.key_serde.deserialize
        rows: dict[Any, tuple[Any, int]] = {}
        if isinstance(store, WindowStore | KeyedWindowStore):
            with store.all() as scan:
                for (raw, start), (value, timestamp) in scan:
                    rows[read(raw), start] = (plan.present(value), timestamp)
        elif isinstance(store, SessionStore):
            with store.all() as scan:
                for (raw, start, end), (value, timestamp) in scan:
                    rows[read(raw), start, end] = (plan.present(value), timestamp)
        elif isinstance(store, TimeBuffer):
            for waiting in store.all():
                rows[waiting.time, waiting.key] = (waiting.values, waiting.time)
        else:
            with store.all() as scan:
                for raw, (value, timestamp) in scan:
                    rows[read(raw)] = (plan.present(value), timestamp)
        return rows

    def counters(self) -> Mapping[str, int]:
        """What the topology dropped and counted so far, summed over its tasks."""
        total: dict[str, int] = {}
        for task in self._tasks:
            for name, count in task.counters.snapshot().items():
                total[name] = total.get(name, 0) + count
        return total

    def produced_topics(self) -> list[str]:
        """The topics that were written to so far, internal ones included."""
        return list(self._written)

    def wall_clock(self) -> int:
        """What processors take for the time of day, ms; it moves only by `advance_wall_clock`."""
        return self._wall_clock

    def advance_wall_clock(self, by: timedelta) -> None:
        """Moves the wall clock and runs the punctuators that are due then, each once; and what comes of them.

        Source: `TopologyTestDriver.advanceWallClockTime`.

        Raises:
            ProcessingError: a punctuator, or what it forwarded to, failed.
        """
        self._wall_clock += by // timedelta(milliseconds=1)
        for task in self._tasks:
            task.punctuate(self._wall_clock)
        self._run()

    def close(self) -> None:
        """Closes the processors and stores, and removes what the driver wrote to disk."""
        for task in self._tasks:
            task.program.processors.close()
            task.state.close()
        self.global_tables.close()
        self._directory.cleanup()

    def __enter__(self) -> TopologyTestDriver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- the topology's side ----------------------------------------------------------------------------------------
    def pipe(self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers | None) -> None:
        """Puts one serialised record on an input topic and runs until nothing is left to do.

        Raises:
            SerdeError, ProcessingError: the record could not be processed; what followed it in the queue is dropped.
        """
        self._enqueue(topic, key, value, timestamp, headers)
        self._run()

    def _run(self) -> None:
        try:
            while self._queue:
                message = self._queue.popleft()
                if self.global_tables.reads(message.topic()):
                    self.global_tables.process(message)
                else:
                    self._readers[message.topic()].process(message)
        finally:
            self._queue.clear()

    def _enqueue(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers | None
    ) -> None:
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        self._queue.append(DriverMessage(topic, offset, key, value, timestamp, headers))

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        callback: None,
        on_delivery: None,
        timestamp: int,
        headers: Headers | None,
        /,
    ) -> None:
        """What compiled code sends: kept for the test to read, and piped on if the topology reads the topic."""
        record = DriverMessage(topic, 0, key, value, timestamp, headers)
        self._written.setdefault(topic, deque()).append(record)
        if topic in self._readers or self.global_tables.reads(topic):
            self._enqueue(topic, key, value, timestamp, headers)

    def open_state(self, subtopology: Subtopology) -> TaskState:
        specs = [store.spec for store in subtopology.stores]
        if self._in_memory:
            return MemoryTaskState.open(specs)
        from stores import RocksDbResources, RocksDbTaskState

        path = Path(self._directory.name) / str(subtopology.index)
        return RocksDbTaskState.open(path, specs, RocksDbResources())

    def _find(self, name: str) -> tuple[_DriverTask, StorePlan]:
        for task in self._tasks:
            for plan in task.subtopology.stores:
                if plan.name == name:
                    return task, plan
        known = ", ".join(sorted(plan.name for _, plan in self._plan.stores())) or "none"
        raise QueryError(f"there is no store {name!r}; the topology has: {known}", store=name)


class _DriverTask:
    """The only task of a sub-topology."""

    def __init__(self, driver: TopologyTestDriver, subtopology: Subtopology) -> None:
        self.subtopology = subtopology
        self.state = driver.open_state(subtopology)
        self.counters = Counters()
        self.program: TaskProgram = subtopology.program.bind(
            TaskBinding(
                application_id=driver.application_id,
                task_id=TaskId(subtopology.index, 0),
                stores={
                    **driver.global_tables.stores,
                    **{plan.name: self.state.store(plan.name) for plan in subtopology.stores},
                },
                produce=driver.produce,
                produce_full=driver.produce,
                watermarks={s.topic: _Unbounded() for s in subtopology.sources if s.role == "repartition"},
                counters=self.counters,
                wall_clock=driver.wall_clock,
            )
        )

    def start(self) -> None:
        """Starts its processors, which may forward records at once."""
        self.program.restore_clocks({})
        self.program.processors.start()
        self.state.commit({}, {})

    def entry(self, topic: str) -> Source | Repartition | None:
        for node in self.subtopology.nodes:
            if isinstance(node, Source) and topic in node.topics:
                return node
        return None

    def process(self, message: DriverMessage) -> None:
        try:
            self.program.sources[message.topic()].run([message], 0, 1, NO_LIMIT)
            self.program.flush()
        except RecordFailure as failure:
            raise describe_failure(failure, message) from failure.cause
        self.state.commit({}, {})

    def punctuate(self, now: int) -> None:
        try:
            self.program.punctuate(now)
        except RecordFailure as failure:
            raise describe_failure(failure, None) from failure.cause
        self.state.commit({}, {})


class _Unbounded:
    """One partition has one upstream task, whose order is the topic's: its clock is not held back."""

    value = NO_LIMIT

    def observe(self, message: Any, /) -> bool:
        return False


def _serdes(schema: Schema, key: Any, value: Any) -> tuple[Serde, Serde]:
    return (
        schema.key_serde() if key is None else serde_for(key, role="key"),
        schema.value_serde() if value is None else serde_for(value, role="value"),
    )


__all__ = ["InputTopic", "OutputTopic", "TestRecord", "TopologyTestDriver"]
