"""Reading changelogs back into stores, in bulk, while other tasks go on.

Each changelog partition is read from the position that the store recorded up to where the log ended when the restore
began, one write batch per stretch of records. The end is found by position or by the broker's word that the partition
ends, never by the offset of the last record: behind it there may be none but transaction markers.
Source: Kafka Streams' `StoreChangelogReader` and state updater (KIP-869 for the listener's figures).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import Message as KafkaMessage

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.consumer import RecordConsumer, is_offset_lost
from streams.runtime.listener import RestoreProgress, WorkerListener
from streams.runtime.log_ends import EndsRequest, LogEnds
from streams.runtime.router import Place, events, is_partition_end, stretches
from streams.runtime.task import Task
from streams.runtime.task_metadata import rows_of

log = logging.getLogger(__name__)

BATCH_RECORDS = 10_000
ANSWER_WAIT_S = 30.0
ASK_AGAIN_S = 0.5
GIVE_UP_S = 300.0
"""How long the broker may not say where changelogs end. Source: Kafka's `task.timeout.ms`."""
TOLD_EVERY_S = 1.0
LOGGED_EVERY_S = 10.0


class Restored(NamedTuple):
    """What a step brought to an end. `behind`: tasks whose recorded position lies beyond their changelog's end, so
    that the topic was made anew since; their local state has to go."""

    complete: Sequence[Task]
    behind: Sequence[Task]


@dataclass(slots=True)
class Stretch:
    """One changelog partition being read. `store` None: the task's metadata."""

    task: Task
    store: str | None
    place: Place
    position: int
    start: int = 0
    end: int = -1
    records: int = 0
    began_at: float = 0.0
    told_at: float = 0.0
    logged_at: float = 0.0
    rows: frozenset[str] = field(default_factory=frozenset[str])
    until: int | None = None
    """The topic goes on behind the end: it is an input of the task, and this is the offset committed of it."""
    can_read: Callable[[bytes | None], bool] | None = None
    """Tells values of such a topic that do not decode: they were passed over when they were processed."""

    @property
    def done(self) -> bool:
        return self.position >= self.end

    def apply(self, messages: Sequence[KafkaMessage], position: int) -> None:
        """Writes records, and that everything before `position` is there."""
        if self.until is not None and position > self.end:
            messages = [m for m in messages if (m.offset() or 0) < self.end]
            position = self.end
        if self.store is not None:
            records = [(m.key(), m.value(), m.timestamp()[1]) for m in messages]
            if None in (key for key, _, _ in records):
                records = [record for record in records if record[0] is not None]
            if self.can_read is not None:
                records = [record for record in records if self.can_read(record[1])]
            self.task.state.restore(self.store, records, position)  # pyright: ignore[reportArgumentType]
        else:
            found = {(m.key() or b"").decode(errors="replace"): m.value() for m in messages}
            kept = {name: row for name, row in found.items() if row is not None and name in self.rows}
            self.task.restore_metadata(kept, position)
        self.records += len(messages)
        self.task.counters.restored += len(messages)
        self.position = position


@dataclass(slots=True, eq=False)
class Question:
    """What the broker was asked: where the partitions of these stretches end, for the first time and for the last."""

    request: EndsRequest
    stretches: list[Stretch]
    since: float
    asked_at: float


class Restorer:
    """Owned by the stream thread.

    Args:
        open_consumer: makes the consumer that reads changelogs; called when there is something to restore.
        metadata_topic: the topic of the tasks' own rows, None if the application has none.
    """

    def __init__(
        self,
        open_consumer: Callable[[], RecordConsumer],
        ends: LogEnds,
        listener: WorkerListener,
        metadata_topic: str | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_consumer = open_consumer
        self._ends = ends
        self._listener = listener
        self._metadata_topic = metadata_topic
        self._clock = clock
        self._consumer: RecordConsumer | None = None
        self._asked: list[Question] = []
        self._reading: dict[Place, list[Stretch]] = {}
        self.records = 0
        """Changelog records that were applied since the start."""
        self._open: dict[TaskId, int] = {}  # stretches of each task that are not done
        self.progress: Mapping[tuple[TaskId, str], RestoreProgress] = {}
        """(task, store) -> how far it was when that was last told; for any thread; replaced, never changed."""

    @property
    def tasks(self) -> Collection[TaskId]:
        """The tasks that are being restored."""
        return self._open.keys()

    def add(self, tasks: Sequence[Task]) -> list[Task]:
        """Begins to restore tasks; returns those that have nothing to restore."""
        stretches_to_read: list[Stretch] = []
        at_once: list[Task] = []
        for task in tasks:
            mine = [
                Stretch(task, changelog.store, (changelog.topic, changelog.partition), position)
                for changelog in task.changelogs
                for position in (task.state.positions.get(changelog.store, 0),)
            ]
            for store, topic, partition in task.source_changelogs:
                offset = task.committed_offsets.get((topic, partition))
                if offset is not None:
                    mine.append(
                        Stretch(
                            task,
                            store,
                            (topic, partition),
                            task.state.positions.get(store, 0),
                            until=offset.offset,
                            can_read=task.subtopology.store(store).can_read,
                        )
                    )
            if task.changelogs and self._metadata_topic is not None:
                place = (self._metadata_topic, task.id.partition)
                mine.append(Stretch(task, None, place, task.metadata_position, rows=rows_of(task.subtopology)))
            if mine:
                self._open[task.id] = len(mine)
                stretches_to_read += mine
            else:
                at_once.append(task)
        if stretches_to_read:
            self._asked.append(self._ask(stretches_to_read, self._clock()))
        return at_once

    def _ask(self, stretches_to_read: list[Stretch], since: float) -> Question:
        request = self._ends.request({stretch.place for stretch in stretches_to_read})
        return Question(request, stretches_to_read, since, self._clock())

    def cancel(self, tasks: Collection[TaskId]) -> None:
        """These tasks are going away."""
        for question in self._asked:
            question.stretches[:] = [stretch for stretch in question.stretches if stretch.task.id not in tasks]
        for place, reading in list(self._reading.items()):
            reading[:] = [stretch for stretch in reading if stretch.task.id not in tasks]
            if not reading:
                self._stop_reading(place)
        for task in tasks:
            self._open.pop(task, None)
        self.progress = {place: told for place, told in self.progress.items() if place[0] not in tasks}

    def step(self, timeout_s: float) -> Restored:
        """Reads and applies what is there, waiting up to `timeout_s` for it.

        Raises:
            StreamsError: a changelog cannot be read.
            StoreError: a record is not of the store.
        """
        complete: list[Task] = []
        behind = self._begin(complete)
        if self._reading and self._consumer is not None:
            messages = self._consumer.fetch(BATCH_RECORDS, timeout_s)
            start = 0
            for index in events(messages):
                self._apply(messages[start:index], complete)
                start = index + 1
                event = messages[index]
                if is_partition_end(event):
                    self._reached_end((event.topic() or "", event.partition() or 0), event.offset() or 0, complete)
                elif is_offset_lost(event):
                    self._start_anew((event.topic() or "", event.partition() or 0))
                else:
                    self._consumer.check(event)
            self._apply(messages[start:] if start else messages, complete)
        elif self._asked and timeout_s > 0:
            time.sleep(min(timeout_s, 0.002))  # the answer comes on another thread, without a bell
        if not self._open:
            self.close()
        return Restored(complete, behind)

    def close(self) -> None:
        self._asked.clear()
        self._reading.clear()
        self._open.clear()
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    # -- steps -------------------------------------------------------------------------------------------------------
    def _begin(self, complete: list[Task]) -> list[Task]:
        """Starts reading where the broker has said how far to read."""
        behind: dict[TaskId, Task] = {}
        for question in list(self._asked):
            ends = self._answer(question)
            if ends is None:
                continue
            self._asked.remove(question)
            waiting = question.stretches
            starting: dict[Place, int | None] = {}
            for stretch in waiting:
                stretch.start, stretch.end = stretch.position, ends[stretch.place]
                if stretch.until is not None:
                    stretch.end = min(stretch.until, stretch.end)
                if stretch.position > stretch.end:
                    behind[stretch.task.id] = stretch.task
                    continue
                stretch.began_at = stretch.told_at = stretch.logged_at = self._clock()
                if stretch.done:
                    self._finish(stretch, complete)
                    continue
                others = self._reading.setdefault(stretch.place, [])
                others.append(stretch)
                self._tell(stretch)
                starting[stretch.place] = min(other.position for other in others)
            if starting:
                to_read = sum(stretch.end - stretch.position for stretch in waiting if not stretch.done)
                log.info("restore_started: %d partitions, %d offsets to read", len(starting), to_read)
                if self._consumer is None:
                    self._consumer = self._open_consumer()
                self._consumer.assign(starting)
        if behind:
            self.cancel(behind.keys())
        return list(behind.values())

    def _answer(self, question: Question) -> Mapping[Place, int] | None:
        """Where the partitions end; None as long as the broker does not say. A question that failed is asked again:
        brokers restart. Raises StreamsError when that has been going on for too long."""
        now = self._clock()
        if not question.stretches:
            return {}
        if not question.request.done() and now < question.asked_at + ANSWER_WAIT_S:
            return None
        try:
            return question.request.result(0)
        except StreamsError as error:
            if now >= question.since + GIVE_UP_S:
                raise
            if now >= question.asked_at + ASK_AGAIN_S:
                log.warning("restore_waits: %s; asked again", error)
                self._asked[self._asked.index(question)] = self._ask(question.stretches, question.since)
            return None

    def _apply(self, messages: Sequence[KafkaMessage], complete: list[Task]) -> None:
        for place, records in stretches(messages):
            position = (records[-1].offset() or 0) + 1
            for stretch in list(self._reading.get(place, ())):
                if position <= stretch.position:
                    continue  # read for another task, which is further back
                stretch.apply(records, position)
                self.records += len(records)
                if stretch.done:
                    self._finish(stretch, complete)
                else:
                    self._tell_sometimes(stretch)

    def _start_anew(self, place: Place) -> None:
        """The changelog no longer has the offset a store is at, so what was deleted in between is not known: the store,
        and no other one, is restored from the beginning."""
        assert self._consumer is not None
        for stretch in self._reading.get(place, ()):
            stretch.position = 0
            if stretch.store is not None:
                log.warning(
                    "store_rebuilt: store %r of task %s was at offset %d of %s[%d], which is no longer there; "
                    "it is restored from the beginning",
                    *(stretch.store, stretch.task.id, stretch.start, *place),
                    extra={"task": str(stretch.task.id)},
                )
                stretch.task.state.clear(stretch.store)
        self._consumer.assign({place: None})

    def _reached_end(self, place: Place, offset: int, complete: list[Task]) -> None:
        for stretch in list(self._reading.get(place, ())):
            if offset >= stretch.end:
                if stretch.position < offset:
                    stretch.apply((), offset)
                self._finish(stretch, complete)

    def _finish(self, stretch: Stretch, complete: list[Task]) -> None:
        reading = self._reading.get(stretch.place)
        if reading is not None:
            if stretch in reading:
                reading.remove(stretch)
            if not reading:
                self._stop_reading(stretch.place)
        self._tell(stretch)
        left = self._open[stretch.task.id] = self._open[stretch.task.id] - 1
        if left == 0:
            del self._open[stretch.task.id]
            self.progress = {place: told for place, told in self.progress.items() if place[0] != stretch.task.id}
            complete.append(stretch.task)
            if stretch.task.counters.restored:
                log.info(
                    "task_restored: %s, %d records in %.1f s",
                    stretch.task.id,
                    stretch.task.counters.restored,
                    self._clock() - stretch.began_at,
                    extra={"task": str(stretch.task.id)},
                )

    def _stop_reading(self, place: Place) -> None:
        self._reading.pop(place, None)
        if self._consumer is not None:
            self._consumer.unassign([place])

    # -- telling -----------------------------------------------------------------------------------------------------
    def _tell_sometimes(self, stretch: Stretch) -> None:
        now = self._clock()
        if now - stretch.told_at >= TOLD_EVERY_S:
            stretch.told_at = now
            self._tell(stretch)
        if now - stretch.logged_at >= LOGGED_EVERY_S:
            stretch.logged_at = now
            progress = self._progress(stretch)
            log.info(
                "restore_running: task %s, %s: %d offsets to go, %.0f records/s, about %s s left",
                stretch.task.id,
                stretch.store or "metadata",
                progress.remaining,
                progress.records_per_s,
                "?" if progress.eta_s is None else f"{progress.eta_s:.0f}",
                extra={"task": str(stretch.task.id)},
            )

    def _tell(self, stretch: Stretch) -> None:
        if stretch.store is not None:
            progress = self._progress(stretch)
            self.progress = {**self.progress, (stretch.task.id, stretch.store): progress}
            self._listener.on_restore(progress)

    def _progress(self, stretch: Stretch) -> RestoreProgress:
        elapsed = self._clock() - stretch.began_at
        return RestoreProgress(
            task=stretch.task.id,
            store=stretch.store or "",
            topic=stretch.place[0],
            start_offset=stretch.start,
            position=stretch.position,
            end_offset=stretch.end,
            records=stretch.records,
            records_per_s=stretch.records / elapsed if elapsed > 0 else 0.0,
            done=stretch.done,
        )
