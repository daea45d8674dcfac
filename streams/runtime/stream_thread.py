"""The one thread that does a worker's work.

A turn of its loop:

    membership   start, give up or drop tasks
    open         tasks whose directory was locked; restore those that are open
    fetch        records, waiting only if there is nothing to run
    run          the task whose next record is oldest, a thousand records at a time
    punctuate    processors' wall-clock punctuators that are due
    publish      watermarks
    commit       when the interval is over or too much is dirty

Everything it touches belongs to it alone; other threads see `stores` (committed rows), `tasks_seen` and counters.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from stores import StoreError, StoreReader
from streams.errors import StreamsError
from streams.observe import COUNTER_HELP, add_up
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.processors.punctuation import NEVER
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.commit import CommitProtocol
from streams.runtime.consumer import RecordConsumer
from streams.runtime.listener import WorkerListener
from streams.runtime.membership import Assigned, CommitFailedError, Failed, Lost, Membership, Revoked
from streams.runtime.options import WorkerOptions
from streams.runtime.phase import TaskPhase
from streams.runtime.producer import RecordProducer
from streams.runtime.publisher import WatermarkPublisher
from streams.runtime.purge import RepartitionPurge
from streams.runtime.restore import Restorer
from streams.runtime.router import Router
from streams.runtime.task import Task
from streams.runtime.task_opener import TaskOpener
from streams.runtime.watermark import WATERMARK_HEADER

log = logging.getLogger(__name__)

LOCKED_RETRY_S = 0.05
RESTORE_WAIT_S = 0.05
PROGRESS_EVERY_S = 0.25


class StreamThread:
    """Runs a worker's tasks. `step` is called over and over by the thread that owns it; `clock` is monotonic, in s."""

    def __init__(
        self,
        plan: PartitionPlan,
        options: WorkerOptions,
        *,
        membership: Membership,
        consumer: RecordConsumer,
        producer: RecordProducer,
        opener: TaskOpener,
        restorer: Restorer,
        positions: ChangelogPositions,
        commits: CommitProtocol,
        publisher: WatermarkPublisher,
        purge: RepartitionPurge,
        listener: WorkerListener,
        metadata_topic: str | None,
        lags: Mapping[TaskId, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._options = options
        self._membership = membership
        self._consumer = consumer
        self._producer = producer
        self._opener = opener
        self._restorer = restorer
        self._positions = positions
        self._commits = commits
        self._publisher = publisher
        self._purge = purge
        self._listener = listener
        self._metadata_topic = metadata_topic
        self._lags = dict(lags)  # of the state that lies here, as the group is told
        self._clock = clock
        self._tasks: dict[TaskId, Task] = {}  # open ones: RESTORING or RUNNING
        self._running: list[Task] = []
        self._router = Router(cap_records=options.buffered_records, cap_bytes=options.buffered_bytes)
        self._aligned = any(sub.repartition_sinks for sub in plan.plan.subtopologies)
        self._joined = False
        self._commit_at = 0.0
        self._give_up_at: float | None = None
        self._closed_counts = dict.fromkeys(COUNTER_HELP, 0)
        self._told_counts: Mapping[str, int] = {}
        self._tell_at = 0.0
        self.stores: Mapping[tuple[str, int], StoreReader] = MappingProxyType({})
        """(store, partition) -> committed rows of the stores of running tasks; replaced, never changed."""
        self.tasks_seen: tuple[frozenset[TaskId], frozenset[TaskId]] = (frozenset(), frozenset())
        """The tasks that run, and those that are opened or restored; replaced, never changed."""

    # -- for others --------------------------------------------------------------------------------------------------
    @property
    def settled(self) -> bool:
        """Whether the tasks were assigned and all of them run."""
        return self._joined and not self._opener.waiting and len(self._running) == len(self._tasks)

    def counters(self) -> dict[str, int]:
        """Sums over all tasks since the start, those that were given away included."""
        total = add_up(task.counters for task in tuple(self._tasks.values()))
        return {name: count + self._closed_counts[name] for name, count in total.items()}

    def task_counters(self) -> dict[TaskId, dict[str, int]]:
        """The counters of each task that is open here."""
        return {task.id: task.counters.snapshot() for task in tuple(self._tasks.values())}

    # -- the loop ----------------------------------------------------------------------------------------------------
    def step(self) -> None:
        """One turn.

        Raises:
            StreamsError, StoreError: the worker cannot go on. `leave` is still to be called.
        """
        self._follow_membership()
        self._bring_up()
        self._fetch()
        self._run()
        for task in self._running:
            task.punctuate()
        self._publish()
        self._commit_when_due()
        self._producer.poll()
        self._tell()

    def leave(self, *, failed: bool) -> None:
        """Commits and closes all tasks; after a failure as far as that is still possible."""
        self._give_up_at = self._clock() + self._options.stop_timeout_s
        try:
            if failed:
                self._commit_after_failure()
            else:
                self._give_away(frozenset(self._tasks))
        finally:
            self._drop(frozenset(self._tasks))
            self._restorer.close()

    # -- membership --------------------------------------------------------------------------------------------------
    def _follow_membership(self) -> None:
        for event in self._membership.poll():
            if isinstance(event, Assigned):
                self._joined = True
                self._own(event.tasks)
            elif isinstance(event, Revoked):
                self._give_away(event.tasks)
                self._membership.released(event.tasks)
            elif isinstance(event, Lost):
                log.warning("tasks_lost: %s; what was not committed will be processed again", event.reason)
                self._lose()
            elif isinstance(event, Failed):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise event.error

    def _own(self, tasks: frozenset[TaskId]) -> None:
        """These are the worker's tasks from now on."""
        mine = self._tasks.keys() | set(self._opener.waiting)
        self._give_away(frozenset(mine - tasks))
        new = tasks - mine
        if new:
            log.info("tasks_assigned: %s", " ".join(str(task) for task in sorted(new)))
            self._opener.add(sorted(new))
        self._changed()

    def _give_away(self, tasks: frozenset[TaskId]) -> None:
        """Commits and closes tasks."""
        going = [self._tasks[task] for task in sorted(tasks & self._tasks.keys())]
        running = [task for task in going if task.phase is TaskPhase.RUNNING]
        if running:
            self._consumer.unassign([(b.topic, b.partition) for task in running for b in task.inputs.buffers])
            try:
                self._commit(running, closing=True)
            except CommitFailedError as error:
                log.warning("commit_failed: tasks that are given away will process some records again: %s", error)
        self._drop(tasks)

    def _lose(self) -> None:
        """Drops everything; the member rejoins by itself."""
        self._joined = False
        self._drop(frozenset(self._tasks) | frozenset(self._opener.waiting))

    def _drop(self, tasks: Collection[TaskId]) -> None:
        """Closes tasks as they are."""
        self._opener.cancel(tasks)
        self._restorer.cancel(tasks)
        self._publisher.remove(tasks)
        self._positions.remove(tasks)
        dropped = [self._tasks.pop(task) for task in sorted(tasks) if task in self._tasks]
        if not dropped:
            return
        self._running = [task for task in self._running if task.id in self._tasks]
        self.stores = MappingProxyType(
            {place: reader for place, reader in self.stores.items() if not any(owns(task, place) for task in dropped)}
        )
        for task in dropped:
            places = [(buffer.topic, buffer.partition) for buffer in task.inputs.buffers]
            self._router.remove(places)
            self._consumer.unassign(places)
            for name, count in task.counters.snapshot().items():
                self._closed_counts[name] += count
            self._opener.close(task)
        log.info("tasks_closed: %s", " ".join(str(task.id) for task in dropped))
        self._changed()

    # -- bringing tasks up -------------------------------------------------------------------------------------------
    def _bring_up(self) -> None:
        if self._opener.waiting:
            opened = self._opener.open()
            for task in opened:
                self._tasks[task.id] = task
                task.enter(TaskPhase.RESTORING)
            self._start(self._restorer.add(opened))
            if opened:
                self._changed()
        if self._restorer.tasks:
            busy = any(task.inputs.count for task in self._running)
            complete, behind = self._restorer.step(0 if busy else RESTORE_WAIT_S)
            for task in behind:
                del self._tasks[task.id]
                self._opener.wipe(task)
            self._start(complete)

    def _start(self, tasks: Collection[Task]) -> None:
        """Their state is complete: they run."""
        for task in tasks:
            task.start()
            self._running.append(task)
            self._router.add(task.inputs.buffers)
            known = {(c.topic, c.partition): task.state.positions.get(c.store, 0) for c in task.changelogs}
            if self._metadata_topic is not None and task.changelogs:
                known[self._metadata_topic, task.id.partition] = task.metadata_position
            self._positions.add(task.id, known)
            self._publisher.add(task.id, task.measures(self._now_ms, self._options.watermark_idle_timeout_ms))
            self.stores = MappingProxyType(
                dict(self.stores)
                | {(name, task.id.partition): store.reader() for name, store in task.state.stores.items()}
            )
        if tasks:
            self._consumer.assign({(b.topic, b.partition): b.position() for task in tasks for b in task.inputs.buffers})
            log.info("tasks_running: %s", " ".join(str(task.id) for task in tasks))
            self._changed()

    def _changed(self) -> None:
        """Tells who has which tasks now."""
        running = frozenset(task.id for task in self._running)
        coming = frozenset(self._opener.waiting) | (self._tasks.keys() - running)
        if (running, coming) != self.tasks_seen:
            self.tasks_seen = (running, coming)
            self._lags |= dict.fromkeys((task.id for task in self._running if task.changelogs), 0)
            self._membership.report(self._lags)
            self._listener.on_tasks(running, coming)

    # -- records -----------------------------------------------------------------------------------------------------
    def _fetch(self) -> None:
        now = self._now_ms()
        router, options = self._router, self._options
        self._consumer.resume(router.to_resume())
        runnable = sum(task.inputs.count for task in self._running if task.inputs.ready(now))
        if runnable == 0:
            wait_s = self._idle_wait_s()
        elif runnable < options.poll_records or (self._aligned and router.hungry()):
            wait_s = 0.0
        else:
            return
        messages = self._consumer.fetch(options.poll_records, wait_s)
        if messages:
            for event in router.route(messages, self._now_ms()):
                self._consumer.check(event)
            self._consumer.pause(router.to_pause())
            if router.woken:
                self._wake()

    def _idle_wait_s(self) -> float:
        """How long there may be nothing to do."""
        if self._restorer.tasks:
            return 0.0
        if self._opener.waiting or not self._joined:
            return LOCKED_RETRY_S
        now = self._clock()
        wait_s = min(self._options.poll_ms / 1000, self._publisher.next_due(int(now * 1000)) / 1000)
        due_ms = min((task.punctuation_due_ms() for task in self._running), default=NEVER)
        return max(min(wait_s, self._commit_at - now, due_ms / 1000), 0.001)

    def _run(self) -> None:
        """Runs up to a batch of records, those of the oldest task first."""
        now = self._now_ms()
        left = self._options.poll_records
        while left > 0:
            ready = [task for task in self._running if task.inputs.ready(now)]
            if not ready:
                return
            task = ready[0] if len(ready) == 1 else min(ready, key=oldest)
            left -= task.run(min(self._options.run_records, left), now)
            if self._aligned and self._router.hungry():
                return  # an older record may be at hand: look before the others run on

    # -- time --------------------------------------------------------------------------------------------------------
    def _wake(self) -> None:
        """Partitions that were quiet have got records: readers must hear of it before they get what comes of them."""
        woken, self._router.woken = self._router.woken, []
        for task in self._running:
            if any(buffer in woken for buffer in task.inputs.buffers):
                self._publisher.awake(task.id)
        self._publish()

    def _publish(self) -> None:
        for publication in self._publisher.due(self._now_ms()):
            headers: list[tuple[str, bytes | None]] = [(WATERMARK_HEADER, publication.payload)]
            for partition in range(publication.partitions):
                self._producer.send(publication.topic, None, None, partition, publication.timestamp, headers)

    # -- commit ------------------------------------------------------------------------------------------------------
    def _commit_when_due(self) -> None:
        wanted = any(task.program.processors.commit_requested for task in self._running)
        if self._clock() < self._commit_at and not wanted:
            dirty = sum(task.state.dirty_bytes for task in self._running)
            if dirty < self._options.max_dirty_bytes:
                return
        try:
            self._commit(self._running)
        except CommitFailedError as error:
            if error.fenced:
                log.warning("tasks_lost: %s; what was not committed will be processed again", error)
                self._lose()
            elif error.retriable:
                log.info("commit_postponed: %s", error)
            else:
                raise
        self._commit_at = self._clock() + self._options.commit_interval_ms / 1000

    def _commit(self, tasks: list[Task], *, closing: bool = False) -> None:
        began = self._clock()
        if tasks and self._commits.commit(tasks, give_up=self._gives_up, closing=closing):
            self._listener.on_commit(frozenset(task.id for task in tasks), self._clock() - began)
            self._purge.after_commit(tasks)

    def _commit_after_failure(self) -> None:
        """Commits the tasks that are whole.

        A record that failed in the middle of its task's operators may have left half of its work in the stores, so
        such a task keeps what it last committed, and does the rest again. Bytes that do not decode fail before any
        operator, so what came before them is committed.
        """
        whole = [task for task in self._running if not task.torn]
        try:
            self._commit(whole, closing=True)
        except (StreamsError, StoreError) as error:  # what made the worker fail is what its caller must hear
            log.warning("commit_failed: some records will be processed again: %s", error)

    def _gives_up(self) -> bool:
        return self._give_up_at is not None and self._clock() >= self._give_up_at

    # -- telling -----------------------------------------------------------------------------------------------------
    def _tell(self) -> None:
        now = self._clock()
        if now >= self._tell_at:
            self._tell_at = now + PROGRESS_EVERY_S
            counts = self.counters()
            if counts != self._told_counts:
                self._told_counts = counts
                self._listener.on_progress(counts)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def oldest(task: Task) -> int:
    return task.inputs.head_time()


def owns(task: Task, place: tuple[str, int]) -> bool:
    name, partition = place
    return partition == task.id.partition and name in task.state.stores
