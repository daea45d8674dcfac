"""The tasks a worker has: which are waiting to be opened, which are restored, which run.

    waiting ──open──► restoring ──complete──► running ──drop──► (given to others, or opened again)
              │ from standby                              └────► standby

It tells the client what to read, the router where records go, and the others who has to know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType

from stores import Store, StoreReader
from streams.observe import COUNTER_HELP, ThreadMeters, add_up
from streams.plan.task_id import TaskId
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.consumer import RecordConsumer
from streams.runtime.listener import RestoreProgress, WorkerListener
from streams.runtime.membership import Membership
from streams.runtime.options import WorkerOptions
from streams.runtime.phase import TaskPhase
from streams.runtime.publisher import WatermarkPublisher
from streams.runtime.restore import Restorer
from streams.runtime.router import Place, Router
from streams.runtime.standbys import Standbys
from streams.runtime.state_lags import StateLags
from streams.runtime.task import Task
from streams.runtime.task_opener import TaskOpener
from streams.runtime.warm_ups import WarmUps

log = logging.getLogger(__name__)

RESTORE_WAIT_S = 0.05
FEED_EVERY_S = 0.02
"""How often standbys are fed what has come: each time is a batch for their stores."""
FEED_RECORDS = 1_000
"""If there was so much there is probably more."""


class WorkerTasks:
    """Owned by the stream thread; others see `stores` (committed rows), `seen`, positions, progress and counters.

    Args:
        lags: tells the group how far the state is that lies here.
        now: ms of the worker's monotonic clock.
    """

    def __init__(
        self,
        options: WorkerOptions,
        *,
        membership: Membership,
        consumer: RecordConsumer,
        router: Router,
        opener: TaskOpener,
        restorer: Restorer,
        positions: ChangelogPositions,
        publisher: WatermarkPublisher,
        listener: WorkerListener,
        metadata_topic: str | None,
        lags: StateLags,
        standbys: Standbys,
        warm_ups: WarmUps,
        meters: ThreadMeters,
        now: Callable[[], int],
    ) -> None:
        self._options = options
        self._membership = membership
        self._consumer = consumer
        self._router = router
        self._opener = opener
        self._restorer = restorer
        self._positions = positions
        self._publisher = publisher
        self._listener = listener
        self._metadata_topic = metadata_topic
        self._lags = lags
        self.standbys = standbys
        self._warm_ups = warm_ups
        self._meters = meters
        self._now = now
        self._open: dict[TaskId, Task] = {}  # RESTORING or RUNNING
        self._told_standbys: frozenset[TaskId] = frozenset()
        self._feeding = False
        self._feed_at = 0.0
        self._closed_counts = dict.fromkeys(COUNTER_HELP, 0)
        self.running: list[Task] = []
        """Replaced or appended to, in no particular order."""
        self.stores: Mapping[tuple[str, int], StoreReader] = MappingProxyType({})
        """(store, partition) -> committed rows of the stores of running tasks; replaced, never changed."""
        self.seen: tuple[frozenset[TaskId], frozenset[TaskId]] = (frozenset(), frozenset())
        """The tasks that run, and those that are opened or restored; replaced, never changed."""

    # -- for others --------------------------------------------------------------------------------------------------
    @property
    def all(self) -> frozenset[TaskId]:
        """Every task, in whatever phase."""
        return frozenset(self._open) | frozenset(self._opener.waiting)

    @property
    def waiting(self) -> bool:
        """Whether tasks could not be opened yet."""
        return bool(self._opener.waiting)

    @property
    def restoring(self) -> bool:
        return bool(self._restorer.tasks)

    @property
    def feeding(self) -> bool:
        """Whether standbys have more to read than comes in while one waits."""
        return self._feeding and bool(self._restorer.followed)

    @property
    def directories(self) -> frozenset[TaskId]:
        """The tasks whose state is this worker's to touch."""
        return self.all | self.standbys.seen.tasks

    @property
    def settled(self) -> bool:
        """Whether all of them run."""
        return not self._opener.waiting and len(self.running) == len(self._open)

    def counters(self) -> dict[str, int]:
        """Sums over all tasks since the start, those that were given away included."""
        total = add_up(task.counters for task in tuple(self._open.values()))
        return {name: count + self._closed_counts[name] for name, count in total.items()}

    def open(self) -> tuple[Task, ...]:
        """The tasks that are restored or run here."""
        return tuple(self._open.values())

    def restoring_progress(self) -> Mapping[tuple[TaskId, str], RestoreProgress]:
        """(task, store) -> how far its changelog has been read."""
        return self._restorer.progress

    def position(self, task: TaskId, place: Place) -> int | None:
        """The offset to which a task has read an input, as of the commit its rows are of; None if that is not known."""
        found = self._open.get(task)
        offset = None if found is None else found.committed_offsets.get(place)
        return None if offset is None else offset.offset

    # -- coming ------------------------------------------------------------------------------------------------------
    def add(self, tasks: Collection[TaskId]) -> None:
        """These are to be opened, restored and run."""
        self._opener.add(sorted(tasks))

    def bring_up(self) -> None:
        """Goes on opening and restoring; waits a little where there is nothing else to do.

        Raises:
            StreamsError, StoreError: a task cannot be opened or restored.
        """
        if self._opener.waiting:
            opened = self._opener.open(self.standbys.state)
            self.standbys.promoted(task.id for task in opened)
            for task in opened:
                self._open[task.id] = task
                self._meters.created.record(1, 0.0, self._now() / 1000)
                task.enter(TaskPhase.RESTORING)
            self._start(self._restorer.add(opened))
            if opened:
                self.changed()
        self.standbys.bring_up()
        now_s = self._now() / 1000
        if self._restorer.tasks or (self._restorer.followed and (self._feeding or now_s >= self._feed_at)):
            self._feed_at = now_s + FEED_EVERY_S
            busy = any(task.inputs.count for task in self.running)
            before, began = self._restorer.records, self._now()
            complete, behind = self._restorer.step(0 if busy or not self._restorer.tasks else RESTORE_WAIT_S)
            read = self._restorer.records - before
            self._feeding = read >= FEED_RECORDS
            if read:
                now = self._now()
                self._meters.restore.record(read, (now - began) / 1000, now / 1000)
            for task in behind:
                del self._open[task.id]
                self._opener.wipe(task)
            self._start(complete)

    def _start(self, tasks: Collection[Task]) -> None:
        """Their state is complete: they run."""
        for task in tasks:
            task.start()
            self.running.append(task)
            self._router.add(task.inputs.buffers)
            known = {(c.topic, c.partition): task.state.positions.get(c.store, 0) for c in task.changelogs}
            if self._metadata_topic is not None and task.changelogs:
                known[self._metadata_topic, task.id.partition] = task.metadata_position
            self._positions.add(task.id, known)
            self._publisher.add(task.id, task.measures(self._now, self._options.watermark_idle_timeout_ms))
        if tasks:
            readers = {place: store.reader() for task in tasks for place, store in stores_of(task)}
            self.stores = MappingProxyType({**self.stores, **readers})
            self._consumer.assign({(b.topic, b.partition): b.position() for task in tasks for b in task.inputs.buffers})
            log.info("tasks_running: %s", " ".join(str(task) for task in sorted(task.id for task in tasks)))
            self.changed()

    # -- going -------------------------------------------------------------------------------------------------------
    def stop_reading(self, tasks: Collection[TaskId]) -> list[Task]:
        """Those of the tasks that run get no more records; returns them."""
        running = sorted((task for task in self.running if task.id in tasks), key=lambda task: task.id)
        if running:
            self._consumer.unassign([(b.topic, b.partition) for task in running for b in task.inputs.buffers])
        return running

    def stand_by(self, tasks: Collection[TaskId], warming: Collection[TaskId]) -> None:
        """These stand by from now on, and no others."""
        self.standbys.want(tasks, warming, promoting=self._opener.waiting)
        self._warm_ups.assigned()
        self._consumer.locate(self._opener.topics(tasks))  # so that a promotion need not wait for it

    def drop(self, tasks: Collection[TaskId], kept: Collection[TaskId] = ()) -> None:
        """Closes tasks as they are; those of them that are in `kept` stand by."""
        self._close(tasks, kept)
        self.changed()

    def reopen(self) -> None:
        """Closes those that run as they are; they are to be opened again, from what they last committed."""
        again = sorted(task.id for task in self.running)
        self._close(again)
        self.add(again)
        self.changed()

    def _close(self, tasks: Collection[TaskId], kept: Collection[TaskId] = ()) -> None:
        self._opener.cancel(tasks)
        self._restorer.cancel(tasks)
        self._publisher.remove(tasks)
        self._positions.remove(tasks)
        dropped = [self._open.pop(task) for task in sorted(tasks) if task in self._open]
        if not dropped:
            return
        self.running = [task for task in self.running if task.id in self._open]
        gone = {place for task in dropped for place, _ in stores_of(task)}
        self.stores = MappingProxyType({place: rows for place, rows in self.stores.items() if place not in gone})
        for task in dropped:
            places = [(buffer.topic, buffer.partition) for buffer in task.inputs.buffers]
            self._router.remove(places)
            self._consumer.unassign(places)
            for name, count in task.counters.snapshot().items():
                self._closed_counts[name] += count
            self._meters.closed.record(1, 0.0, self._now() / 1000)
            keep = task.id in kept and bool(task.changelogs or task.source_changelogs)
            self._opener.close(task, keep_state=keep)
            if keep:
                self.standbys.adopt(task.id, task.state)
            else:
                self._lags.rests(task)
        log.info("tasks_closed: %s", " ".join(str(task.id) for task in dropped))

    def close(self) -> None:
        """Drops all of them, and lets go of what restores."""
        self.drop(self.all)
        self.standbys.forget()
        self._restorer.close()

    def measure_standbys(self) -> None:
        """Looks how far the state is that lies here, and tells the group and the listener; asks for what should move by
        now."""
        self._lags.standing_by(self.standbys.measure())
        self._lags.refresh()
        self._warm_ups.look()
        if self.standbys.seen.tasks != self._told_standbys:
            self._told_standbys = self.standbys.seen.tasks
            self._listener.on_standbys(self._told_standbys)

    def deleted(self, tasks: Collection[TaskId]) -> None:
        """The state of these was deleted."""
        self._lags.gone(tasks)

    # -- telling -----------------------------------------------------------------------------------------------------
    def changed(self) -> None:
        """Tells who has which tasks now."""
        running = frozenset(task.id for task in self.running)
        coming = self.all - running
        if (running, coming) != self.seen:
            self.seen = (running, coming)
            self._lags.running(task for task in self.running if task.changelogs or task.source_changelogs)
            self._listener.on_tasks(running, coming)


def stores_of(task: Task) -> Iterator[tuple[tuple[str, int], Store]]:
    return (((name, task.id.partition), store) for name, store in task.state.stores.items())
