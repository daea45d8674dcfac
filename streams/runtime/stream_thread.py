"""The one thread that does a worker's work.

A turn of its loop:

    membership   start, give up or drop tasks
    open         tasks whose directory was locked; restore those that are open
    fetch        records, waiting only if there is nothing to run
    run          the task whose next record is oldest, a thousand records at a time
    settle       records in flight whose results have come, and batches that waited long enough
    punctuate    processors' wall-clock punctuators that are due
    publish      watermarks
    commit       when the interval is over or too much is dirty

Everything it touches belongs to it alone; what other threads may see is in `worker_tasks`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from stores import StoreError
from streams.errors import StreamsError
from streams.observe import ThreadMeters
from streams.observe.reading import ThreadReading
from streams.plan.task_id import TaskId
from streams.processors.punctuation import NEVER
from streams.runtime.commit import Committer, nothing
from streams.runtime.commit_schedule import CommitSchedule
from streams.runtime.consumer import RecordConsumer
from streams.runtime.give_up import GiveUp
from streams.runtime.global_tables import GlobalTables
from streams.runtime.intake import Intake
from streams.runtime.listener import WorkerListener
from streams.runtime.membership import Assigned, CommitFailedError, Failed, Lost, Membership, Revoked
from streams.runtime.oldest_first import OldestFirst
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer
from streams.runtime.publisher import WatermarkPublisher
from streams.runtime.purge import RepartitionPurge
from streams.runtime.router import Router
from streams.runtime.state_cleanup import StateCleanup
from streams.runtime.task import Task
from streams.runtime.task_reading import measure_task
from streams.runtime.thread_reading import read_thread
from streams.runtime.undone import WorkUndoneError
from streams.runtime.watermark import WATERMARK_HEADER
from streams.runtime.worker_tasks import WorkerTasks

log = logging.getLogger(__name__)

LOCKED_RETRY_S = 0.05
PROGRESS_EVERY_S = 0.25
MEASURED_EVERY_S = 1.0
GENERATION_PATIENCE_S = 0.1
LOOK_AFTER = 4  # records per task, before it is looked for older ones: each look asks all tasks


class StreamThread:
    """Runs a worker's tasks. `step` is called over and over by the thread that owns it; `clock` is monotonic, in s."""

    def __init__(
        self,
        options: WorkerOptions,
        *,
        tasks: WorkerTasks,
        membership: Membership,
        intake: Intake,
        consumer: RecordConsumer,
        router: Router,
        producer: RecordProducer,
        committer: Committer,
        publisher: WatermarkPublisher,
        purge: RepartitionPurge,
        cleanup: StateCleanup,
        listener: WorkerListener,
        global_tables: GlobalTables | None,
        aligned: bool,
        meters: ThreadMeters,
        checks: Sequence[Callable[[Collection[TaskId]], None]] = (),
        paused: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`aligned`: whether tasks write repartition topics, so that they have to stay close in time; `checks`: called
        now and then with the tasks that run, raise where they cannot go on; `paused`: while it says so no record is
        processed; `calls`: what runs asynchronous functions, if there are any."""
        self.tasks = tasks
        self._options = options
        self._membership = membership
        self._intake = intake
        self._consumer = consumer
        self._router = router
        self._producer = producer
        self._committer = committer
        self._publisher = publisher
        self._purge = purge
        self._cleanup = cleanup
        self._listener = listener
        self._global_tables = global_tables
        self._aligned = aligned
        self._checks = checks
        self._paused = paused
        self.meters = meters
        self._clock = clock
        self._joined = False
        self._schedule = CommitSchedule(
            options.commit_interval_ms / 1000, patience_s=GENERATION_PATIENCE_S if committer.together else 0.0
        )
        self._gives_up = GiveUp(options.task_timeout_s, clock)
        self._told_counts: Mapping[str, int] = {}
        self._tell_at = 0.0
        self._measure_at = 0.0

    # -- for others --------------------------------------------------------------------------------------------------
    @property
    def settled(self) -> bool:
        """Whether the tasks were assigned and all of them run."""
        return self._joined and self.tasks.settled

    def read(self) -> ThreadReading:
        """What it measured of itself and of its tasks. From any thread."""
        name = f"{self._options.instance_id or self._options.application_id}-StreamThread-1"
        return read_thread(name, self.meters, self._producer, self.tasks, self._membership, self._clock())

    # -- the loop ----------------------------------------------------------------------------------------------------
    def step(self) -> None:
        """One turn.

        Raises:
            StreamsError, StoreError: the worker cannot go on. `leave` is still to be called.
        """
        try:
            self._turn()
        except WorkUndoneError as error:
            self._reopen(error)

    def _turn(self) -> None:
        self._follow_membership()
        self.tasks.bring_up()
        if self._global_tables is not None:
            self._global_tables.poll()
        if self._paused():
            time.sleep(self._options.poll_ms / 1000)
        else:
            self._fetch()
            self._run()
            for task in self.tasks.running:
                if task.in_flight is not None:
                    task.settle()
            self._punctuate()
        self._publish()
        self._commit_when_due()
        self._producer.poll()
        self._tell()

    def leave(self, *, failed: bool) -> None:
        """Commits and closes all tasks; after a failure as far as that is still possible."""
        self._gives_up.leave_within(self._options.stop_timeout_s)
        try:
            if failed:
                self._commit_after_failure()
            else:
                self._give_away(self.tasks.all)
        finally:
            self.tasks.close()

    # -- membership --------------------------------------------------------------------------------------------------
    def _follow_membership(self) -> None:
        for event in self._membership.poll():
            if isinstance(event, Assigned):
                self._joined = True
                self.meters.rebalances += 1
                self.meters.assigned_at = self._clock()
                self._own(event)
            elif isinstance(event, Revoked):
                self._give_away(event.tasks, event.kept)
                self._membership.released(event.tasks)
            elif isinstance(event, Lost):
                log.warning("tasks_lost: %s; what was not committed will be processed again", event.reason)
                self._lose()
            elif isinstance(event, Failed):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise event.error

    def _own(self, assigned: Assigned) -> None:
        """These are the worker's tasks from now on."""
        mine = self.tasks.all
        self._give_away(mine - assigned.tasks, assigned.standbys)
        new = assigned.tasks - mine
        if new:
            log.info("tasks_assigned: %s", " ".join(str(task) for task in sorted(new)))
            self.tasks.add(new)
        self.tasks.stand_by(assigned.standbys, assigned.warming)
        self.tasks.changed()

    def _give_away(self, tasks: frozenset[TaskId], kept: Collection[TaskId] = ()) -> None:
        """Commits and closes tasks; those in `kept` stand by."""
        running = self.tasks.stop_reading(tasks)
        if running:
            try:
                self._commit(self.tasks.running if self._committer.together else running, closing=tasks)
            except WorkUndoneError as error:
                self.tasks.drop(tasks, kept)
                self._reopen(error)  # of the tasks that stay, too, nothing since the last commit counts
            except CommitFailedError as error:
                log.warning("commit_failed: tasks that are given away will process some records again: %s", error)
        self.tasks.drop(tasks, kept)

    def _lose(self) -> None:
        """Drops everything; the member rejoins by itself."""
        self._joined = False
        self.tasks.drop(self.tasks.all)
        self.tasks.stand_by((), ())
        self._committer.abandon(give_up=self._gives_up)

    # -- records -----------------------------------------------------------------------------------------------------
    def _fetch(self) -> None:
        now = self._now_ms()
        self._intake.resume()
        runnable = sum(task.inputs.count for task in self.tasks.running if task.ready(now))
        if runnable == 0:
            self._intake.read(self._idle_wait_s(), calling=any(task.calling for task in self.tasks.running))
        elif runnable < self._options.poll_records or (self._aligned and self._router.hungry()):
            self._intake.read(0.0, calling=False)
        if self._router.woken:
            self._wake()

    def _read_ahead(self) -> bool:
        return not self._paused() and self._intake.read_ahead()

    def _idle_wait_s(self) -> float:
        """How long there may be nothing to do."""
        if self.tasks.restoring or self.tasks.feeding:
            return 0.0
        if self.tasks.waiting or not self._joined:
            return LOCKED_RETRY_S
        now = self._clock()
        wait_s = min(self._options.poll_ms / 1000, self._publisher.next_due(int(now * 1000)) / 1000)
        due_ms = min((task.wall_clock_due_ms() for task in self.tasks.running), default=NEVER)
        return max(min(wait_s, self._schedule.at - now, due_ms / 1000), 0.001)

    def _run(self) -> None:
        """Runs up to a batch of records, those of the oldest task first."""
        began = ended = self._clock()
        now = int(began * 1000)
        budget = left = self._options.poll_records
        ready = OldestFirst(self.tasks.running, now)
        hungry, few = self._aligned and self._router.hungry(), LOOK_AFTER * len(self.tasks.running)
        while left > 0 and ready:
            task = ready.next
            taken = task.run(min(self._options.run_records, left), now)
            ready.ran()
            left -= taken
            before, ended = ended, self._clock()
            if taken:
                task.meters.process.record(taken, ended - before, ended)
            hungry = hungry or (self._aligned and task.inputs.hungry())
            if hungry and budget - left >= few:
                break  # an older record may be at hand: look before the others run on
        if left < budget:
            self.meters.process.record(budget - left, ended - began, ended)
            self.meters.process_records.record(1, budget - left, ended)

    def _punctuate(self) -> None:
        for task in self.tasks.running:
            if task.program.processors.on_wall_clock.due == NEVER:
                continue
            began = self._clock()
            if task.punctuate():
                ended = self._clock()
                for meter in (self.meters.punctuate, task.meters.punctuate):
                    meter.record(1, ended - began, ended)

    # -- time --------------------------------------------------------------------------------------------------------
    def _wake(self) -> None:
        """Partitions that were quiet have got records: readers must hear of it before they get what comes of them."""
        woken, self._router.woken = {id(buffer) for buffer in self._router.woken}, []
        for task in self.tasks.running:
            if any(id(buffer) in woken for buffer in task.inputs.buffers):
                self._publisher.awake(task.id)
        self._publish()

    def _publish(self) -> None:
        for publication in self._publisher.due(self._now_ms()):
            headers: list[tuple[str, bytes | None]] = [(WATERMARK_HEADER, publication.payload)]
            for partition in range(publication.partitions):
                self._producer.send(publication.topic, None, None, partition, publication.timestamp, headers)

    # -- commit ------------------------------------------------------------------------------------------------------
    def _commit_when_due(self) -> None:
        running = self.tasks.running
        changed = [task for task in running if task.changed]
        asked = (
            any(task.program.processors.commit_requested for task in changed)
            or sum(task.state.dirty_bytes for task in changed) >= self._options.max_dirty_bytes
        )
        if not self._schedule.due(self._clock(), asked=asked, generation_known=self._membership.generation_known):
            return
        ready = [task.prepare_commit() for task in changed]
        if not all(ready):
            return  # those take no input, and the commit is made when nothing is in flight there any more
        try:
            self._commit(running, meanwhile=self._read_ahead)
        except CommitFailedError as error:
            if error.fenced:
                log.warning("tasks_lost: %s; what was not committed will be processed again", error)
                self._lose()
            elif error.retriable and not self._gives_up():
                log.info("commit_postponed: %s", error)
            else:
                raise
        for task in self.tasks.running:
            task.go_on()
        self._schedule.done(self._clock())

    def _reopen(self, error: WorkUndoneError) -> None:
        """Opens all running tasks anew, from what they last committed."""
        log.warning("%s: %s; its records are processed again", error.event, error)
        self.tasks.reopen()
        self._committer.abandon(give_up=self._gives_up)
        self._gives_up.answered()

    def _commit(
        self, tasks: list[Task], *, closing: Collection[TaskId] = (), meanwhile: Callable[[], bool] = nothing
    ) -> None:
        began = self._clock()
        changed = [task for task in tasks if task.changed or task.id in closing]
        if tasks and self._committer.commit(changed, give_up=self._gives_up, closing=closing, meanwhile=meanwhile):
            self._gives_up.answered()
            ended = self._clock()
            self.meters.commit.record(len(changed), ended - began, ended)
            for task in changed:
                task.meters.commit.record(1, (ended - began) / len(changed), ended)
            self._listener.on_commit(frozenset(task.id for task in changed), ended - began)
            self._purge.after_commit(tasks)

    def _commit_after_failure(self) -> None:
        """Commits the tasks that are whole.

        A record that failed in the middle of its task's operators may have left half of its work in the stores, so
        such a task keeps what it last committed, and does the rest again. Bytes that do not decode fail before any
        operator, so what came before them is committed.
        """
        whole = [task for task in self.tasks.running if not task.torn]
        if self._committer.together and len(whole) < len(self.tasks.running):
            self._committer.abandon(give_up=lambda: True)  # the halves are in the one transaction
            return
        try:
            self._commit(whole, closing=frozenset(task.id for task in whole))
        except (StreamsError, StoreError) as error:  # what made the worker fail is what its caller must hear
            log.warning("commit_failed: some records will be processed again: %s", error)

    # -- telling -----------------------------------------------------------------------------------------------------
    def _tell(self) -> None:
        now = self._clock()
        if now >= self._tell_at:
            self._tell_at = now + PROGRESS_EVERY_S
            self.tasks.deleted(self._cleanup.run_when_due(self.tasks.directories))
            self.tasks.measure_standbys()
            counts = self.tasks.counters()
            if counts != self._told_counts:
                self._told_counts = counts
                self._listener.on_progress(counts)
        if now >= self._measure_at:
            self._measure_at = now + MEASURED_EVERY_S
            for place, buffer in self._router.buffers.items():
                buffer.meters.end = self._consumer.end(place)
            for task in self.tasks.open():
                measure_task(task, now)
            for check in self._checks:
                check(self.tasks.seen[0])

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
