"""A task as the test driver runs it: the only one of its sub-topology."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stores import ChangelogRecord, Store
from streams.compile.clock import NO_RECORD
from streams.compile.program import NO_LIMIT, RecordFailure, TaskBinding, TaskProgram
from streams.observe import Counters
from streams.operators.repartition import Repartition
from streams.operators.source import Source
from streams.plan.plan import Subtopology
from streams.plan.task_id import TaskId
from streams.testing.message import DriverMessage

if TYPE_CHECKING:
    from streams.testing.driver import TopologyTestDriver


class DriverTask:
    """Its state, its program, and what of time was committed with them."""

    def __init__(self, driver: TopologyTestDriver, subtopology: Subtopology) -> None:
        self._driver = driver
        self._id = TaskId(subtopology.index, 0)
        self.subtopology = subtopology
        self.counters = Counters()
        self._disk = driver.disk(subtopology)
        self._state = self._disk.open()
        self._clocks: dict[str, int] = {}
        self._read: dict[str, list[ChangelogRecord]] = {s.name: [] for s in subtopology.stores if s.source is not None}
        """Store without a changelog -> what its topic has had so far, and below how much of that is committed."""
        self._read_until = dict.fromkeys(self._read, 0)
        self._partition_times: dict[str, int] = {}
        self._program = self._bind()

    def _bind(self) -> TaskProgram:
        driver, tracing = self._driver, self._driver.tracing
        program = self.subtopology.program.bind(
            TaskBinding(
                application_id=driver.application_id,
                task_id=self._id,
                stores={**driver.global_tables.stores, **self._state.stores},
                produce=driver.produce if tracing is None else tracing.produce(driver.produce, driver.produce),
                produce_full=driver.produce,
                watermarks={s.topic: _Unbounded() for s in self.subtopology.sources if s.role == "repartition"},
                counters=self.counters,
                wall_clock=driver.wall_clock,
                may_skip=driver.failures.may_skip,
                calls=driver.calls,
                drop=lambda failure: driver.failures.judge(failure, self._id, self.counters),
            )
        )
        if tracing is not None:
            tracing.follow(self._id, program)
        return program

    def start(self) -> None:
        """Starts its processors, which may forward records at once."""
        self._program.restore_clocks(self._clocks)
        self._program.processors.start()
        self.commit()

    def punctuate(self, now: int) -> None:
        """Calls the wall-clock punctuators that are due. Raises StreamsError as `process`."""
        try:
            self._program.punctuate(now)
        except RecordFailure as failure:
            self._driver.failures.skip(failure, None, self._id, self.counters)
        self.settle()

    def settle(self) -> None:
        """Lets out the records in flight that are done, waiting for asynchronous functions; batches that are not
        complete stay. Raises StreamsError as `process`."""
        in_flight = self._program.in_flight
        while in_flight is not None:
            try:
                self._program.settle()
            except RecordFailure as failure:
                self._driver.failures.skip(failure, failure.message, self._id, self.counters)
                continue
            if not in_flight.calling:
                return
            self._driver.calls.wait(1.0)

    def _drain(self) -> None:
        """The same with batches, complete or not."""
        in_flight = self._program.in_flight
        if in_flight is not None:
            in_flight.ending = True
            self.settle()
            while in_flight.count:  # what came out of calls was taken into batches
                self.settle()
            in_flight.ending = False

    def store(self, name: str) -> Store:
        return self._state.store(name)

    def entry(self, topic: str) -> Source | Repartition | None:
        """Where records of a topic come in."""
        for node in self.subtopology.nodes:
            if isinstance(node, Source) and topic in node.topics:
                return node
        return None

    def process(self, message: DriverMessage) -> None:
        """Raises StreamsError where the record failed and is not to be skipped."""
        for plan in self.subtopology.stores:
            if plan.source == message.topic() and (key := message.key()) is not None:
                self._read[plan.name].append(ChangelogRecord(key, message.value(), message.timestamp()[1]))
        try:
            while self._program.sources[message.topic()].run([message], 0, 1, NO_LIMIT) == 0:
                self.settle()  # it may not get ahead of a batch that waits
        except RecordFailure as failure:
            self._driver.failures.skip(failure, message, self._id, self.counters)
        self.settle()

    def flush(self) -> None:
        """Forwards what tables held back for the commit, and what is in flight. Raises StreamsError; then there must be
        no commit."""
        self._drain()
        try:
            self._program.flush()
        except RecordFailure as failure:
            self._driver.failures.fail(failure, failure.message or NO_RECORD)
        in_flight = self._program.in_flight
        if in_flight is not None and in_flight.count:
            self.flush()  # tables forwarded records to functions whose results other tables hold back

    def commit(self) -> None:
        changelogs, positions = self._driver.changelogs, dict[str, int]()
        for plan in self.subtopology.stores:
            if plan.changelog is not None:
                log = changelogs.setdefault(plan.changelog, [])
                log.extend(self._state.pending(plan.name))
                positions[plan.name] = len(log)
            elif plan.source is not None:
                positions[plan.name] = self._read_until[plan.name] = len(self._read[plan.name])
        self._state.commit(positions)
        self._clocks = self._program.clocks()
        self._partition_times = {topic: run.max_timestamp for topic, run in self._program.sources.items()}

    def restart(self, *, lose_state: bool = False) -> None:
        """As a worker does it: opens the state as committed, restores what the changelogs have more, takes up time."""
        self._close_program()
        self._state.close()
        if lose_state:
            self._disk.wipe()
        self._state = self._disk.open()
        for plan in self.subtopology.stores:
            if plan.changelog is not None:
                log = self._driver.changelogs.get(plan.changelog, [])
                self._state.restore(plan.name, log[self._state.positions.get(plan.name, 0) :], len(log))
            elif plan.source is not None:
                read = self._read[plan.name]
                del read[self._read_until[plan.name] :]
                rows = [row for row in read[self._state.positions.get(plan.name, 0) :] if plan.can_read(row.value)]
                self._state.restore(plan.name, rows, len(read))
        self._program = self._bind()
        for topic, timestamp in self._partition_times.items():
            self._program.sources[topic].max_timestamp = timestamp
        self._program.restore_clocks(self._clocks)
        self._program.processors.start()

    def close(self) -> None:
        self._close_program()
        self._state.close()

    def _close_program(self) -> None:
        if self._program.in_flight is not None:
            self._program.in_flight.close()
        self._program.processors.close()


class _Unbounded:
    """One partition has one upstream task, whose order is the topic's: its clock is not held back."""

    value = NO_LIMIT

    def observe(self, message: Any, /) -> bool:
        return False
