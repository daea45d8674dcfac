"""One task: a partition of a sub-topology, with its state, its compiled program and its buffered input."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from stores import ChangelogRecord, Store, TaskState, TimeBuffer
from streams.compile.clock import NO_RECORD
from streams.compile.program import NO_LIMIT, Message, Produce, RecordFailure, TaskBinding
from streams.observe import Counters, TaskMeters
from streams.observe.tracing import Tracing
from streams.plan.plan import PartitionPlan, RepartitionSink, Subtopology
from streams.plan.task_id import TaskId
from streams.runtime.buffers import PartitionBuffer, TaskInputs
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.membership import CommittedOffset
from streams.runtime.partition_time import decode_partition_time, encode_partition_time
from streams.runtime.phase import TaskPhase, check_task_transition
from streams.runtime.progress import InputProgress, Progress, progress
from streams.runtime.router import Place
from streams.runtime.task_metadata import CLOCK, RESTORED, read_clocks, read_watermarks, write_rows
from streams.runtime.watermark import UNKNOWN, Watermark

log = logging.getLogger(__name__)

SAMPLE_EVERY_MS = 100
"""Of each input partition one record is looked at so often, for its latency and its lateness."""

NOTHING_KNOWN = Progress(UNKNOWN, False)


class Changelog(NamedTuple):
    """The changelog partition of one store of a task."""

    store: str
    topic: str
    partition: int


class Task:
    """Owned by the stream thread.

    Args:
        committed: the committed offset of each input, None where there is none; together with the state they are
            where the task goes on.
        state: opened, and closed by the task.
        global_stores: the worker's, of global tables.
        now: ms of the worker's monotonic clock.
        wall_clock: tells ms since the epoch.
        tracing: makes spans for its records, None for an application without.
    """

    def __init__(
        self,
        task_id: TaskId,
        plan: PartitionPlan,
        *,
        committed: Mapping[Place, CommittedOffset | None],
        state: TaskState,
        global_stores: Mapping[str, Store],
        produce: Produce,
        produce_full: Produce,
        failures: FailurePolicy,
        max_task_idle_ms: int,
        now: int,
        wall_clock: Callable[[], int],
        tracing: Tracing | None = None,
    ) -> None:
        self.id = task_id
        self.subtopology: Subtopology = plan.plan.subtopologies[task_id.subtopology]
        self.phase = TaskPhase.CREATED
        self.state = state
        self.counters = Counters()
        self.meters = TaskMeters(now / 1000)
        self.failures = failures
        self._wall_clock = wall_clock
        self.watermarks: dict[str, Watermark] = {
            source.topic: Watermark(source.topic, plan.upstream_tasks(source.topic))
            for source in self.subtopology.sources
            if source.role == "repartition"
        }
        self.program = self.subtopology.program.bind(
            TaskBinding(
                application_id=plan.plan.application_id,
                task_id=task_id,
                stores={**global_stores, **state.stores},
                produce=produce if tracing is None else tracing.produce(produce, produce_full),
                produce_full=produce_full,
                watermarks=self.watermarks,
                counters=self.counters,
                wall_clock=wall_clock,
                may_skip=failures.may_skip,
            )
        )
        if tracing is not None:
            tracing.follow(task_id, self.program)
        self.changelogs = tuple(
            Changelog(store.name, store.changelog, task_id.partition)
            for store in self.subtopology.stores
            if store.changelog is not None
        )
        self.source_changelogs = tuple(
            Changelog(store.name, store.source, task_id.partition)
            for store in self.subtopology.stores
            if store.source is not None and (store.source, task_id.partition) in committed
        )
        """Stores without a changelog of their own: what they hold was read of an input up to its committed offset."""
        self.inputs = TaskInputs(self._buffers(plan, committed, now), max_task_idle_ms=max_task_idle_ms)
        self.committed_offsets = {place: offset for place, offset in committed.items() if offset is not None}
        self.torn = False
        """A record failed half way through the operators: what is dirty in the stores belongs to no offset."""
        self.punctuated = False
        """Punctuators ran since the last commit: what they forwarded waits for the next, with or without records."""
        self._flushed: dict[str, Progress] = {}
        """Sink -> progress when tables last forwarded what they had held back for the commit."""
        self._measures: dict[str, Callable[[int], Progress]] = {}
        self.remembered: dict[str, bytes] = dict(state.metadata)
        """The metadata rows as last committed, or as restored."""

    def __repr__(self) -> str:
        return f"Task({self.id}, {self.phase.value})"

    def _buffers(
        self, plan: PartitionPlan, committed: Mapping[Place, CommittedOffset | None], now: int
    ) -> list[PartitionBuffer]:
        roles = {source.topic: source.role for source in self.subtopology.sources}
        order = sorted(range(len(inputs := plan.inputs(self.id))), key=lambda i: roles[inputs[i][0]] != "table")
        buffers: list[PartitionBuffer] = []
        for rank, index in enumerate(order):
            topic, partition = inputs[index]
            source = self.program.sources[topic]
            offset = committed.get((topic, partition))
            if offset is not None:
                source.max_timestamp = max(source.max_timestamp, decode_partition_time(offset.metadata))
            buffers.append(
                PartitionBuffer(
                    topic,
                    partition,
                    source,
                    rank=rank,
                    now=now,
                    position=None if offset is None else offset.offset,
                    watermark=self.watermarks.get(topic),
                )
            )
        return buffers

    # -- life --------------------------------------------------------------------------------------------------------
    def enter(self, phase: TaskPhase) -> None:
        """Raises PhaseError for a transition that may not be."""
        check_task_transition(self.id, self.phase, phase)
        self.phase = phase

    def start(self) -> None:
        """The state is complete: takes up what was remembered of time, starts its processors, and is RUNNING.

        Raises TopologyError if a processor does not start.
        """
        read_watermarks(self.remembered, self.watermarks)
        self.program.restore_clocks(read_clocks(self.remembered))
        self.program.watermark_advanced()
        self.program.processors.start()
        self.enter(TaskPhase.RUNNING)

    def close(self) -> None:
        """Closes processors and state; what is not committed is dropped."""
        if self.phase is not TaskPhase.CLOSED:
            self.enter(TaskPhase.CLOSED)
            try:
                self.program.processors.close()
            except Exception:  # the user's; what else there is to close must be closed
                log.exception("processor_close_failed: task %s", self.id, extra={"task": str(self.id)})
            self.state.close()

    # -- work --------------------------------------------------------------------------------------------------------
    def run(self, budget: int, now: int) -> int:
        """Runs up to `budget` buffered records, those first that are oldest; returns how many it took.

        Raises:
            StreamsError: a record failed and is not to be skipped. It and what follows it stay buffered; what it had
                done before it failed stands in the stores.
        """
        inputs = self.inputs
        taken = 0
        control_records = -self._control_records()
        try:
            while taken < budget:
                following = inputs.next(now)
                if following is None:
                    break
                buffer, limit = following
                batch, at = buffer.batch, buffer.at
                end = at + budget - taken
                if end > len(batch):
                    end = len(batch)
                try:
                    to = buffer.source.run(batch, at, end, limit)  # pyright: ignore[reportArgumentType]
                    if to == at:  # only a timestamp function that answers differently each time can bring this about
                        to = buffer.source.run(batch, at, at + 1, NO_LIMIT)
                except RecordFailure as failure:
                    to = failure.index
                    buffer.advance(to)
                    buffer.meters.consumed += to - at
                    taken += to - at
                    self.torn = failure.kind != "deserialization"
                    self.failures.skip(failure, batch[to], self.id, self.counters)
                    self.torn = False
                    at, to = to, to + 1
                buffer.advance(to)
                taken += to - at
                buffer.meters.consumed += to - at
                if now >= buffer.meters.sample_at:
                    self._sample(buffer, batch[to - 1], now)
        finally:
            self.counters.processed += taken - (control_records + self._control_records())
        return taken

    def _sample(self, buffer: PartitionBuffer, message: Message, now: int) -> None:
        """Looks at a record that was just processed: how old it is, and how far behind others."""
        buffer.meters.sample_at = now + SAMPLE_EVERY_MS
        if buffer.watermark is not None and message.value() is None:
            return  # perhaps no record at all
        try:
            time = buffer.source.head_time(message)
        except Exception:  # it was skipped for this, perhaps
            return
        buffer.meters.e2e.record(1, self._wall_clock() - time, now / 1000)
        self.meters.lateness.record(1, max(buffer.source.max_timestamp - time, 0), now / 1000)

    def measure(self, now: int) -> None:
        """Takes stock for whoever looks at the task from outside; once a second is enough."""
        moment = now / 1000
        self.meters.count(self.counters, moment)
        for buffer in self.inputs.buffers:
            self.meters.count_input(buffer.meters, moment)
        if self.phase is not TaskPhase.RUNNING:
            return
        clean_bytes = 0
        for name, store in self.state.stores.items():
            clean_bytes += len(store.clean) * store.clean.row_bytes
            if isinstance(store, TimeBuffer):
                self.meters.count_waiting(name, store.count, store.size_bytes, moment)
        self.meters.cache_bytes = clean_bytes + self.state.dirty_bytes

    def punctuate(self) -> bool:
        """Calls the processors' wall-clock punctuators that are due; whether there were any.

        Raises:
            StreamsError: one failed, or what it forwarded to, and is not to be skipped.
        """
        now = self._wall_clock()
        if now < self.program.processors.on_wall_clock.due:
            return False
        self.punctuated = True
        try:
            self.program.punctuate(now)
        except RecordFailure as failure:
            self.torn = True
            self.failures.skip(failure, None, self.id, self.counters)
            self.torn = False
        return True

    def punctuation_due_ms(self) -> int:
        """In how many ms of wall-clock time the next punctuator is due."""
        return self.program.processors.on_wall_clock.due - self._wall_clock()

    def _control_records(self) -> int:
        """How many of the records so far were watermarks."""
        return sum(watermark.observed for watermark in self.watermarks.values())

    def flush(self) -> None:
        """Forwards what tables held back for the commit.

        Raises:
            StreamsError: an operator behind a table failed. The task must not be committed.
        """
        try:
            self.program.flush()
        except RecordFailure as failure:
            self.torn = True
            self.failures.fail(failure, failure.message or NO_RECORD)
        if self.subtopology.program.emits_at_commit:
            for topic, measure in self._measures.items():
                self._flushed[topic] = measure(self._flushed.get(topic, NOTHING_KNOWN).watermark)

    # -- time --------------------------------------------------------------------------------------------------------
    def measures(self, clock: Callable[[], int], idle_timeout_ms: int) -> dict[str, Callable[[int], Progress]]:
        """For each repartition sink, what tells the task's progress towards it.

        Where tables forward at the commit it is the progress of then: what they hold is older than what was read since.
        """

        def measure(sink: RepartitionSink) -> Callable[[int], Progress]:
            sources = frozenset(sink.sources)
            buffers = [buffer for buffer in self.inputs.buffers if buffer.topic in sources]

            def told(previous: int) -> Progress:
                now = clock()
                return progress(
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
                    [time for label, time in self.program.holding().items() if label in sink.holders],
                )

            return told

        def at_flush(topic: str) -> Callable[[int], Progress]:
            def told(previous: int) -> Progress:
                flushed = self._flushed.get(topic, NOTHING_KNOWN)
                # that input has come is told at once: before what comes of it
                idle = flushed.idle and self._measures[topic](previous).idle
                return Progress(max(flushed.watermark, previous), idle)

            return told

        self._measures = {sink.topic: measure(sink) for sink in self.subtopology.repartition_sinks}
        if self.subtopology.program.emits_at_commit:
            return {topic: at_flush(topic) for topic in self._measures}
        return self._measures

    # -- commit ------------------------------------------------------------------------------------------------------
    def offsets(self) -> dict[Place, CommittedOffset]:
        """The inputs' offsets that are not committed yet, with the partitions' time."""
        moved: dict[Place, CommittedOffset] = {}
        for buffer in self.inputs.buffers:
            position = buffer.position()
            place = (buffer.topic, buffer.partition)
            known = self.committed_offsets.get(place)
            if position is not None and (known is None or known.offset != position):
                moved[place] = CommittedOffset(position, encode_partition_time(buffer.source.max_timestamp))
        return moved

    def source_positions(self, moved: Mapping[Place, CommittedOffset]) -> dict[str, int]:
        """Store -> how far its topic is contained in it, once these offsets are committed."""
        offsets = {**self.committed_offsets, **moved}
        places = ((store, offsets.get((topic, partition))) for store, topic, partition in self.source_changelogs)
        return {store: offset.offset for store, offset in places if offset is not None}

    def changed_metadata(self) -> dict[str, bytes]:
        """The metadata rows that differ from what was last committed."""
        rows = write_rows(self.program.clocks(), self.watermarks)
        return {name: row for name, row in rows.items() if self.remembered.get(name) != row}

    def committed(self, offsets: Mapping[Place, CommittedOffset], metadata: Mapping[str, bytes]) -> None:
        """The broker has the offsets and the state has the rows."""
        self.committed_offsets.update(offsets)
        self.remembered.update(metadata)
        self.counters.commits += 1
        self.punctuated = False
        self.program.processors.commit_requested = False

    # -- restore -----------------------------------------------------------------------------------------------------
    def restore_metadata(self, rows: Mapping[str, bytes], position: int) -> None:
        """Takes in rows of the metadata topic up to `position`. Clocks never go back."""
        for name, row in rows.items():
            known = self.remembered.get(name)
            if known is None or not name.startswith(CLOCK) or int(row) > int(known):
                self.remembered[name] = row
        self.remembered[RESTORED] = b"%d" % position

    @property
    def metadata_position(self) -> int:
        """The offset in the metadata topic from which rows are not known here yet."""
        return int(self.remembered.get(RESTORED, b"0"))


def pending_rows(task: Task, changelog: Changelog) -> list[ChangelogRecord]:
    """A store's dirty rows as changelog records. Raises RowEncodeError before anything is sent."""
    return list(task.state.pending(changelog.store))
