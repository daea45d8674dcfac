"""One task: a partition of a sub-topology, with its state, its compiled program and its buffered input."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from stores import Store, TaskState
from streams.compile.clock import NO_RECORD
from streams.compile.program import NO_LIMIT, Message, Produce, RecordFailure, TaskBinding, one_partition
from streams.inflight import CallLoop
from streams.observe import TaskMeters
from streams.observe.tracing import Tracing
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.buffers import PartitionBuffer, TaskInputs
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.membership import CommittedOffset
from streams.runtime.partition_time import decode_partition_time, encode_partition_time
from streams.runtime.phase import TaskPhase, check_task_transition
from streams.runtime.progress import Progress
from streams.runtime.replica import Replica
from streams.runtime.router import Place
from streams.runtime.task_metadata import read_clocks, read_watermarks, write_rows
from streams.runtime.task_progress import TaskProgress
from streams.runtime.watermark import Watermark
from streams.sent_time import LEAST_TIME

log = logging.getLogger(__name__)

DRAIN_WAIT_S = 0.05
SAMPLE_EVERY_MS = 100
"""Of each input partition one record is looked at so often, for its latency and its lateness."""


class Task(Replica):
    """Owned by the stream thread.

    Args:
        committed: the committed offset of each input, None where there is none; together with the state they are
            where the task goes on.
        state: opened, and closed by the task.
        global_stores: the worker's, of global tables.
        now: ms of the worker's monotonic clock.
        wall_clock: tells ms since the epoch.
        calls: runs asynchronous functions, where the topology has any.
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
        partitions: Callable[[str], int] = one_partition,
        failures: FailurePolicy,
        max_task_idle_ms: int,
        now: int,
        wall_clock: Callable[[], int],
        calls: CallLoop | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        super().__init__(task_id, plan, state, committed)
        self.phase = TaskPhase.CREATED
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
                partitions=partitions,
                least_time=LEAST_TIME,
                may_skip=failures.may_skip,
                calls=calls,
                drop=lambda failure: failures.judge(failure, task_id, self.counters),
            )
        )
        self.in_flight = self.program.in_flight
        self._calls = calls
        if tracing is not None:
            tracing.follow(task_id, self.program)
        self.inputs = TaskInputs(self._buffers(plan, committed, now), max_task_idle_ms=max_task_idle_ms)
        self.committed_offsets = {place: offset for place, offset in committed.items() if offset is not None}
        self.torn = False
        """A record failed half way through the operators: what is dirty in the stores belongs to no offset."""
        self.worked = True
        """Something was done since the last commit that it may have to keep."""
        self.punctuated = False
        """Punctuators ran since the last commit: what they forwarded waits for the next, with or without records."""
        self._progress = TaskProgress(self.subtopology, self.program, self.inputs)

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

    def close(self, *, keep_state: bool = False) -> None:
        """Closes processors and, unless it is kept for a standby, the state; what is not committed is dropped."""
        if self.phase is not TaskPhase.CLOSED:
            self.enter(TaskPhase.CLOSED)
            if self.in_flight is not None:
                self.in_flight.close()
            try:
                self.program.processors.close()
            except Exception:  # the user's; what else there is to close must be closed
                log.exception("processor_close_failed: task %s", self.id, extra={"task": str(self.id)})
            if keep_state:
                self.state.discard()
            else:
                self.state.close()

    # -- work --------------------------------------------------------------------------------------------------------
    def ready(self, now: int) -> bool:
        """Whether there is a record that may be processed now."""
        return self.inputs.ready(now) and (self.in_flight is None or not self.in_flight.is_full())

    def run(self, budget: int, now: int) -> int:
        """Runs up to `budget` buffered records, those first that are oldest; returns how many it took.

        Raises:
            StreamsError: a record failed and is not to be skipped. It and what follows it stay buffered; what it had
                done before it failed stands in the stores.
        """
        inputs = self.inputs
        taken = 0
        self.worked = True
        control_records = -self._control_records()
        try:
            while taken < budget:
                if self.in_flight is not None:
                    self.settle()
                    if self.in_flight.is_full():
                        break
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
                    self._skip(failure, batch[to])
                    at, to = to, to + 1
                buffer.advance(to)
                taken += to - at
                buffer.meters.consumed += to - at
                if now >= buffer.meters.sample_at:
                    self._sample(buffer, batch[to - 1], now)
        finally:
            self.counters.processed += taken - (control_records + self._control_records())
        return taken

    def _skip(self, failure: RecordFailure, message: Message | None) -> None:
        """Returns if the record is to be passed over. Raises StreamsError."""
        self.torn = not failure.left_nothing
        self.failures.skip(failure, message, self.id, self.counters)
        self.torn = False

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

    def punctuate(self) -> bool:
        """Calls the processors' wall-clock punctuators that are due; whether there were any.

        Raises:
            StreamsError: one failed, or what it forwarded to, and is not to be skipped.
        """
        now = self._wall_clock()
        if now < self.program.processors.on_wall_clock.due:
            return False
        self.punctuated = self.worked = True
        try:
            self.program.punctuate(now)
        except RecordFailure as failure:
            self._skip(failure, None)
        return True

    def wall_clock_due_ms(self) -> int:
        """In how many ms of wall-clock time the next punctuator or batch is due."""
        due = self.program.processors.on_wall_clock.due
        if self.in_flight is not None and (batch := self.in_flight.due_ms) is not None:
            due = min(due, batch)
        return due - self._wall_clock()

    # -- records in flight -------------------------------------------------------------------------------------------
    @property
    def calling(self) -> bool:
        """Whether asynchronous functions have still to answer."""
        return self.in_flight is not None and self.in_flight.calling

    def settle(self) -> None:
        """Lets out the records in flight that are done, and begins with others.

        Raises:
            StreamsError: one of them failed and is not to be skipped.
        """
        while True:
            try:
                self.program.settle()
                return
            except RecordFailure as failure:
                self._skip(failure, failure.message)

    def prepare_commit(self) -> bool:
        """Ends batches; whether a commit would not have to wait for records in flight. Until it is made, or given up
        (`go_on`), the task takes no input if it has to.

        Raises StreamsError as `settle`.
        """
        in_flight = self.in_flight
        if in_flight is None:
            return True
        in_flight.ending = True
        in_flight.draining = self.subtopology.program.drains
        self.settle()
        return not (in_flight.draining and in_flight.count)

    def go_on(self) -> None:
        """The commit was made, or is not made now."""
        if self.in_flight is not None:
            self.in_flight.ending = self.in_flight.draining = False

    def _drain(self) -> None:
        while not self.prepare_commit():
            assert self._calls is not None
            self._calls.wait(DRAIN_WAIT_S)

    def _control_records(self) -> int:
        """How many of the records so far were watermarks."""
        return sum(watermark.observed for watermark in self.watermarks.values())

    def flush(self) -> None:
        """Forwards what tables held back for the commit, and waits for the records in flight where it has to.

        Raises:
            StreamsError: an operator behind a table failed. The task must not be committed.
        """
        self._drain()
        while True:
            try:
                self.program.flush()
            except RecordFailure as failure:
                self.torn = True
                self.failures.fail(failure, failure.message or NO_RECORD)
            if self.in_flight is None or not (self.subtopology.program.drains and self.in_flight.count):
                break
            self._drain()  # tables forwarded records to functions whose results other tables hold back
        self.go_on()
        self._progress.flushed()

    # -- time --------------------------------------------------------------------------------------------------------
    def measures(self, clock: Callable[[], int], idle_timeout_ms: int) -> dict[str, Callable[[int], Progress]]:
        """For each repartition sink, what tells the task's progress towards it."""
        return self._progress.measures(clock, idle_timeout_ms)

    # -- commit ------------------------------------------------------------------------------------------------------
    @property
    def changed(self) -> bool:
        """Whether there may be anything to commit. False costs next to nothing: of a thousand tasks, few have input
        between two commits."""
        if self.worked or self.in_flight is not None or self.subtopology.program.emits_at_commit:
            return True  # what tables held back at a commit also tells how far time is: see `TaskProgress`
        return any(buffer.ended for buffer in self.inputs.buffers)

    def offsets(self) -> dict[Place, CommittedOffset]:
        """The inputs' offsets that are not committed yet, with the partitions' time. A record in flight is not done."""
        moved: dict[Place, CommittedOffset] = {}
        in_flight = {} if self.in_flight is None else self.in_flight.earliest()
        for buffer in self.inputs.buffers:
            position = buffer.position()
            place = (buffer.topic, buffer.partition)
            known = self.committed_offsets.get(place)
            time = buffer.source.max_timestamp
            if place in in_flight:
                assert self.in_flight is not None
                position, before = in_flight[place], -1 if known is None else decode_partition_time(known.metadata)
                time = max(self.in_flight.released_time(place), before)
            if position is not None and (known is None or known.offset != position):
                moved[place] = CommittedOffset(position, encode_partition_time(time))
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
        self.rest()
        self.punctuated = False
        self.program.processors.commit_requested = False

    def rest(self) -> None:
        """A commit has kept all there was when it began, which may be nothing; ends may have been told since."""
        self.worked = False
        for buffer in self.inputs.buffers:
            if buffer.ended:
                known = self.committed_offsets.get((buffer.topic, buffer.partition))
                buffer.ended = buffer.position() != (None if known is None else known.offset)
