"""`TopologyTestDriver`: runs a topology in the test's own thread, without a broker.

It runs the same compiled functions as a worker, with one partition per topic. Every piped record is processed
completely, records of internal topics included, before `pipe` returns, and committed record by record unless the test
says otherwise. Source: `org.apache.kafka.streams.TopologyTestDriver`.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

from stores import ChangelogRecord, Store, TimeBuffer
from streams.app import App
from streams.compile.program import Headers
from streams.errors import QueryError, StreamsError
from streams.observe.tracing import Tracing
from streams.plan.plan import StorePlan, Subtopology
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.global_state import Surroundings
from streams.testing.call_loop import TestCallLoop
from streams.testing.difference import Expected
from streams.testing.driver_task import DriverTask
from streams.testing.global_tables import DriverGlobalTables
from streams.testing.message import DriverMessage
from streams.testing.state_disk import MemoryStateDisk, RocksDbStateDisk, StateDisk
from streams.testing.store_view import StoreView
from streams.testing.topic_serdes import serdes_of, written_schema
from streams.testing.topics import InputTopic, OutputTopic


class Piped(NamedTuple):
    """A record from outside, as the test gave it."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers | None


class TopologyTestDriver:
    """Runs `app`'s topology synchronously.

    Args:
        stores: where state lives, in memory or in RocksDB (in a temporary directory).
        start: timestamp in ms of the first record piped without one.
        commit: after each record, or only when the test calls `commit()`; then `restart()` has something to undo.

    The application's failure handlers are asked as a worker asks them. Use it as a context manager, or call `close()`.
    Raises TopologyError like `app.plan()`.
    """

    __test__ = False

    def __init__(
        self,
        app: App,
        *,
        stores: Literal["memory", "rocksdb"] = "memory",
        start: int = 0,
        commit: Literal["record", "manual"] = "record",
    ) -> None:
        self._plan = app.plan()
        self._registry = app.schema_registry
        self.application_id = self._plan.application_id
        self.tracing = Tracing(self.application_id) if app.settings.tracing else None
        self._directory = tempfile.TemporaryDirectory(prefix="headrace-driver-")
        self._in_memory = stores == "memory"
        self._commits_records = commit == "record"
        self.now = self._wall_clock = start
        self.failures = FailurePolicy.of(app.settings, send=self._send)
        try:
            self.global_tables = DriverGlobalTables(
                self._plan.global_tables,
                None if self._in_memory else Path(self._directory.name) / "global",
                self.failures,
                Surroundings(self.application_id, self.wall_clock),
            )
        except BaseException:
            self._directory.cleanup()
            raise
        self.calls = TestCallLoop()
        """Runs asynchronous functions, while the driver waits for them."""
        self.changelogs: dict[str, list[ChangelogRecord]] = {}
        self._tasks = [DriverTask(self, subtopology) for subtopology in self._plan.subtopologies]
        self._readers = {source.topic: task for task in self._tasks for source in task.subtopology.sources}
        self._queue: deque[DriverMessage] = deque()
        self._offsets: Counter[str] = Counter()
        self._committed_offsets: Counter[str] = Counter()
        self._journal: list[Piped] = []
        self._written: dict[str, deque[DriverMessage]] = {}
        self._uncommitted: Counter[str] = Counter()
        try:
            for task in self._tasks:
                task.start()
        except BaseException:
            self.close()
            raise

    # -- the test's side --------------------------------------------------------------------------------------------
    def input_topic(
        self, name: str, *, key: Any = None, value: Any = None, advance: timedelta = timedelta(0)
    ) -> InputTopic:
        """The handle that pipes records into `name`.

        Args:
            key, value: types or serdes; default what the topology declared.
            advance: how much later than the one before each record without a timestamp is.

        Raises KeyError naming the topics there are.
        """
        task = self._readers.get(name)
        entry = task.entry(name) if task else None
        schema = entry.schema if entry else self.global_tables.schema(name)
        if schema is None:
            known = ", ".join(sorted(self._plan.source_topics()))
            raise KeyError(f"the topology reads no topic {name!r}; it reads {known}")
        return InputTopic(name, *serdes_of(self._registry, name, schema, key, value), driver=self, advance=advance)

    def output_topic(self, name: str, *, key: Any = None, value: Any = None) -> OutputTopic:
        """The handle that reads what came to `name`, internal topics included. `key` and `value` default to what the
        topology writes there."""
        schema = written_schema(self._plan.subtopologies, name)
        return OutputTopic(
            name, *serdes_of(self._registry, name, schema, key, value), self._written.setdefault(name, deque())
        )

    def assert_records(self, topic: str, expected: Expected) -> None:
        """That exactly these records came to `topic` and were not read yet; see `OutputTopic.assert_records`."""
        __tracebackhide__ = True
        self.output_topic(topic).assert_records(expected)

    def store(self, name: str) -> StoreView:
        """A state store by name, with keys and values as the topology's functions see them.

        Raises QueryError naming the stores there are.
        """
        return StoreView(*self._find(name))

    def stores(self) -> dict[str, StoreView]:
        """All state stores by name, in alphabetical order. Source: `getAllStateStores`."""
        return {name: self.store(name) for name in self._store_names()}

    def raw_store(self, name: str) -> Store:
        """A state store itself, with the keys as bytes and the rows as the topology keeps them. Raises QueryError."""
        return self._find(name)[1]

    def rows(self, name: str) -> dict[Any, tuple[Any, int]]:
        """A store's rows as users see them: key (windowed: `(key, start)`, sessions: `(key, start, end)`) -> (value,
        timestamp)."""
        plan, store = self._find(name)
        read = plan.key_serde.deserialize
        rows: dict[Any, tuple[Any, int]] = {}
        if isinstance(store, TimeBuffer):
            return {(waiting.time, waiting.key): (waiting.values, waiting.time) for waiting in store.all()}
        with store.all() as scan:
            for raw, (value, timestamp) in scan:
                key = read(raw) if isinstance(raw, bytes) else (read(raw[0]), *raw[1:])
                rows[key] = (plan.present(value), timestamp)
        return rows

    def counters(self) -> Mapping[str, int]:
        """What the topology dropped, skipped and counted so far, summed over its tasks."""
        total: Counter[str] = Counter()
        for task in self._tasks:
            total.update(task.counters.snapshot())
        total.update(self.global_tables.counters.snapshot())
        return dict(total)

    def produced_topics(self) -> list[str]:
        """The topics that were written to so far, repartition topics included."""
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
        try:
            for task in self._tasks:
                task.punctuate(self._wall_clock)
            self._run_queue()
        except StreamsError:
            self._recover()
            raise
        if self._commits_records:
            self.commit()

    def changelog(self, store: str) -> list[ChangelogRecord]:
        """What was committed to a store's changelog topic: key, value (None: deleted), timestamp in ms.

        Raises QueryError: there is no such store.
        """
        topic = self._find(store)[0].changelog
        return [] if topic is None else list(self.changelogs.get(topic, ()))

    # -- commits and crashes ----------------------------------------------------------------------------------------
    def commit(self) -> None:
        """What a worker does at each commit interval: all that was done so far lasts, and what tables held back for the
        commit is forwarded and processed.

        Raises:
            SerdeError, ProcessingError: as `pipe`, of what was held back; nothing is committed.
        """
        try:
            self._forward_held()
        except StreamsError:
            self._recover()
            raise
        for task in self._tasks:
            task.commit()
        self._journal.clear()
        self._uncommitted.clear()
        self._committed_offsets = self._offsets.copy()

    def restart(self, *, lose_state: bool = False) -> None:
        """A crash, and a start on what was committed: exactly what a worker with exactly-once goes through.

        State falls back to the last commit, what was sent since is taken back (as far as the test has not read it),
        and the records since are processed again. Functions and processors that keep something to themselves show it
        here.

        Args:
            lose_state: the state directory is gone too: stores are restored from their changelogs.
        """
        self._queue.clear()
        for topic, count in self._uncommitted.items():
            written = self._written[topic]
            for _ in range(min(count, len(written))):
                written.pop()
        self._uncommitted.clear()
        self._offsets = self._committed_offsets.copy()
        for task in self._tasks:
            task.restart(lose_state=lose_state)
        again, self._journal = self._journal, []
        for piped in again:
            self.pipe(*piped)

    def _forward_held(self) -> None:
        """What one table lets go may be held back by the next one, in another sub-topology too."""
        for task in self._tasks:
            task.flush()
        while self._queue:
            self._run_queue()
            for task in self._tasks:
                task.flush()

    def close(self) -> None:
        """Closes the stores and removes what the driver wrote to disk."""
        for task in self._tasks:
            task.close()
        self.calls.close()
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
            SerdeError, ProcessingError: the record could not be processed, and no handler said to skip it. State is as
                of the last commit, as after a worker's failure; what followed the record in the queue is dropped.
        """
        self._enqueue(topic, key, value, timestamp, headers)
        if self.global_tables.reads(topic):
            self._committed_offsets[topic] = self._offsets[topic]
            self.global_tables.process(self._queue.pop())
            return
        self._journal.append(Piped(topic, key, value, timestamp, headers))
        try:
            self._run_queue()
        except StreamsError:
            self._journal.pop()
            self._recover()
            raise
        if self._commits_records:
            self._journal.clear()
            self._uncommitted.clear()
            self._committed_offsets = self._offsets.copy()

    def _run_queue(self) -> None:
        while self._queue:
            message = self._queue.popleft()
            if self.global_tables.reads(message.topic()):
                self.global_tables.process(message)
                continue
            task = self._readers[message.topic()]
            task.process(message)
            if self._commits_records:
                task.flush()
                task.commit()

    def _recover(self) -> None:
        """After a failure: back to the last commit. With a commit after each record nothing but the failed record is
        undone, and what it had sent may still be read; its offset stays taken."""
        if not self._commits_records:
            self.restart()
            return
        self._queue.clear()
        for task in self._tasks:
            task.restart()
        self._uncommitted.clear()
        self._committed_offsets = self._offsets.copy()

    def _enqueue(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers | None
    ) -> None:
        self._queue.append(DriverMessage(topic, self._offsets[topic], key, value, timestamp, headers))
        self._offsets[topic] += 1

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
        self._uncommitted[topic] += 1
        if topic in self._readers or self.global_tables.reads(topic):
            self._enqueue(topic, key, value, timestamp, headers)

    def _send(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, timestamp: int, headers: Headers
    ) -> None:
        """Writes a dead letter."""
        self.produce(topic, value, key, partition, None, None, timestamp, headers)

    def disk(self, subtopology: Subtopology) -> StateDisk:
        """Where the state of a sub-topology's task lies."""
        specs = [store.spec for store in subtopology.stores]
        if self._in_memory:
            return MemoryStateDisk(specs)
        return RocksDbStateDisk(specs, Path(self._directory.name) / str(subtopology.index))

    def _find(self, name: str) -> tuple[StorePlan, Store]:
        for task in self._tasks:
            for plan in task.subtopology.stores:
                if plan.name == name:
                    return plan, task.store(name)
        for plan in self._plan.global_stores:
            if plan.name == name:
                return plan, self.global_tables.stores[name]
        known = ", ".join(self._store_names()) or "none"
        raise QueryError(f"there is no store {name!r}; the topology has: {known}", store=name)

    def _store_names(self) -> list[str]:
        return sorted(plan.name for plan in (*(plan for _, plan in self._plan.stores()), *self._plan.global_stores))
