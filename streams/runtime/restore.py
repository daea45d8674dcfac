"""Reading changelogs back into stores, in bulk, while other tasks go on.

Each changelog partition is read from the position that the store recorded up to where the log ended when the restore
began, one write batch per stretch of records. The end is found by position or by the broker's word that the partition
ends, never by the offset of the last record: behind it there may be none but transaction markers.

Changelogs of standby tasks are followed: read on as they grow, and where one is an input of the task, up to the offset
committed of it, which is asked for from time to time. When a standby becomes active, its stretches get an end like all
others, and the reading goes on.
Source: Kafka Streams' `StoreChangelogReader` and state updater (KIP-869 for the listener's figures).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Message as KafkaMessage

from streams.errors import StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.changelog_stretch import (
    ENDLESS,
    ChangelogLag,
    Question,
    Stretch,
    log_progress,
    progress_of,
    stretches_of,
)
from streams.runtime.consumer import RecordConsumer, is_offset_lost
from streams.runtime.listener import RestoreProgress, WorkerListener
from streams.runtime.log_ends import EndsRequest, LogEnds
from streams.runtime.replica import Replica
from streams.runtime.router import Place, events, is_partition_end, stretches
from streams.runtime.standby_updates import StandbyUpdates
from streams.runtime.task import Task

log = logging.getLogger(__name__)

BATCH_RECORDS = 10_000
ANSWER_WAIT_S = 30.0
ASK_AGAIN_S = 0.5
LIMITS_EVERY_S = 1.0
"""How often it is asked how far inputs have been processed, for standbys that are made of them."""
TOLD_EVERY_S = 1.0
LOGGED_EVERY_S = 10.0


class Restored(NamedTuple):
    """What a step brought to an end. `behind`: tasks whose recorded position lies beyond their changelog's end, so
    that the topic was made anew since; their local state has to go."""

    complete: Sequence[Task]
    behind: Sequence[Task]


class Restorer:
    """Owned by the stream thread.

    Args:
        open_consumer: makes the consumer that reads changelogs; called when there is something to restore.
        metadata_topic: the topic of the tasks' own rows, None if the application has none.
        committed: tells the application's committed offsets.
        give_up_s: how long the broker may not say where changelogs end.
    """

    def __init__(
        self,
        open_consumer: Callable[[], RecordConsumer],
        ends: LogEnds,
        listener: WorkerListener,
        metadata_topic: str | None,
        *,
        committed: LogEnds | None = None,
        give_up_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._give_up_s = give_up_s
        self._open_consumer = open_consumer
        self._ends = ends
        self._listener = listener
        self._metadata_topic = metadata_topic
        self._committed = committed
        self._clock = clock
        self._consumer: RecordConsumer | None = None
        self._updates = StandbyUpdates(listener, lambda place: self._consumer and self._consumer.end(place))
        self._asked: list[Question] = []
        self._reading: dict[Place, list[Stretch]] = {}
        self._followed: dict[TaskId, list[Stretch]] = {}
        self._limits: EndsRequest | None = None
        self._ask_limits_at = 0.0
        self.records = 0
        """Changelog records that were applied since the start."""
        self._open: dict[TaskId, int] = {}  # stretches of each task that are not done
        self.progress: Mapping[tuple[TaskId, str], RestoreProgress] = {}
        """(task, store) -> how far it was when that was last told; for any thread; replaced, never changed."""

    @property
    def tasks(self) -> Collection[TaskId]:
        """The tasks that are being restored."""
        return self._open.keys()

    @property
    def followed(self) -> Collection[TaskId]:
        """The standby tasks that are fed."""
        return self._followed.keys()

    def add(self, tasks: Sequence[Task]) -> list[Task]:
        """Begins to restore tasks; returns those that have nothing to restore. Of one that was followed, the task's
        state is the standby's."""
        to_read: list[Stretch] = []
        at_once: list[Task] = []
        for task in tasks:
            mine = [stretch for stretch in self._taken_over(task) if self._limit(task, stretch)]
            if mine:
                self._open[task.id] = len(mine)
                to_read += mine
            else:
                at_once.append(task)
        if to_read:
            self._asked.append(self._ask(to_read, self._clock()))
        return at_once

    def _taken_over(self, task: Task) -> list[Stretch]:
        """The stretches of a task: a standby's, which are being read, or new ones."""
        followed = self._followed.pop(task.id, None)
        self._updates.end(followed or (), "promoted")
        mine = followed or stretches_of(task, self._metadata_topic)
        for stretch in mine:
            stretch.replica, stretch.followed, stretch.records = task, False, 0
            if stretch.is_input:
                self._leave(stretch)  # its end is an old one
        return mine

    def _limit(self, task: Task, stretch: Stretch) -> bool:
        """Of an input, notes how far it was processed; False if nothing was."""
        offset = task.committed_offsets.get(stretch.place)
        if stretch.is_input and offset is not None:
            stretch.until = offset.offset
        return not stretch.is_input or offset is not None

    def follow(self, standby: Replica) -> None:
        """Feeds a standby task from now on, until it is cancelled or added as a task."""
        mine = self._followed[standby.id] = stretches_of(standby, self._metadata_topic)
        starting: dict[Place, int | None] = {}
        for stretch in mine:
            stretch.followed, stretch.start = True, stretch.position
            stretch.began_at = self._clock()
            if stretch.is_input:
                stretch.end = stretch.until = stretch.position  # as long as nobody says that more was processed
                self._ask_limits_at = 0.0
            else:
                stretch.end = ENDLESS
                self._read(stretch, starting)
        self._assign(starting)
        self._updates.start(mine)

    def lags(self) -> dict[tuple[TaskId, str], ChangelogLag]:
        """How far the stores of standby tasks are, those left out whose changelog's end is not known yet."""
        found: dict[tuple[TaskId, str], ChangelogLag] = {}
        for task, stretches_of_task in self._followed.items():
            for stretch in stretches_of_task:
                end = stretch.until if stretch.is_input else self._consumer and self._consumer.end(stretch.place)
                if stretch.store is not None and end is not None:
                    found[task, stretch.store] = ChangelogLag(stretch.position, max(end, stretch.position))
        return found

    def _read(self, stretch: Stretch, starting: dict[Place, int | None]) -> None:
        others = self._reading.setdefault(stretch.place, [])
        if stretch not in others:
            others.append(stretch)
            starting[stretch.place] = min(other.position for other in others)

    def _assign(self, starting: Mapping[Place, int | None]) -> None:
        if starting:
            if self._consumer is None:
                self._consumer = self._open_consumer()
            self._consumer.assign(starting)

    def _ask(self, stretches_to_read: list[Stretch], since: float) -> Question:
        request = self._ends.request({stretch.place for stretch in stretches_to_read})
        return Question(request, stretches_to_read, since, self._clock())

    def cancel(self, tasks: Collection[TaskId]) -> None:
        """These tasks are going away, or stand by no longer."""
        for question in self._asked:
            question.stretches[:] = [stretch for stretch in question.stretches if stretch.replica.id not in tasks]
        for place, reading in list(self._reading.items()):
            reading[:] = [stretch for stretch in reading if stretch.replica.id not in tasks]
            if not reading:
                self._stop_reading(place)
        for task in tasks:
            self._open.pop(task, None)
            self._updates.end(self._followed.pop(task, ()), "migrated")
        self.progress = {place: told for place, told in self.progress.items() if place[0] not in tasks}

    def step(self, timeout_s: float) -> Restored:
        """Reads and applies what is there, waiting up to `timeout_s` for it.

        Raises:
            StreamsError: a changelog cannot be read.
            StoreError: a record is not of the store.
        """
        complete: list[Task] = []
        behind = self._begin(complete)
        self._raise_limits()
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
        if not self._open and not self._followed:
            self.close()
        return Restored(complete, behind)

    def close(self) -> None:
        self._asked.clear()
        self._reading.clear()
        self._open.clear()
        self._followed.clear()
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
                stretch.start, stretch.end = stretch.position, min(stretch.until, ends[stretch.place])
                if stretch.position > stretch.end:
                    assert isinstance(stretch.replica, Task)
                    behind[stretch.replica.id] = stretch.replica
                    continue
                stretch.began_at = stretch.told_at = stretch.logged_at = self._clock()
                if stretch.done:
                    self._finish(stretch, complete)
                    continue
                self._tell(stretch)
                self._read(stretch, starting)
            if starting:
                to_read = sum(stretch.end - stretch.position for stretch in waiting if not stretch.done)
                log.info("restore_started: %d partitions, %d offsets to read", len(starting), to_read)
                self._assign(starting)
        if behind:
            self.cancel(behind.keys())
        return list(behind.values())

    def _raise_limits(self) -> None:
        """Asks how far inputs have been processed that standbys follow, and reads on up to there."""
        if self._committed is None:
            return
        limited = [s for stretches in self._followed.values() for s in stretches if s.is_input]
        if self._limits is None:
            if limited and self._clock() >= self._ask_limits_at:
                self._limits = self._committed.request({stretch.place for stretch in limited})
            return
        if not self._limits.done():
            return
        request, self._limits = self._limits, None
        self._ask_limits_at = self._clock() + LIMITS_EVERY_S
        try:
            offsets = request.result(0)
        except StreamsError as error:
            log.debug("limits_unknown: %s", error)
            return
        starting: dict[Place, int | None] = {}
        for stretch in limited:
            stretch.end = stretch.until = max(stretch.end, offsets.get(stretch.place, 0))
            if not stretch.done:
                self._read(stretch, starting)
        self._assign(starting)

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
            if now >= question.since + self._give_up_s:
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
                elif stretch.has_end:
                    self._tell_sometimes(stretch)
                if stretch.followed:
                    self._updates.batch(stretch, len(records))

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
                    *(stretch.store, stretch.replica.id, stretch.start, *place),
                    extra={"task": str(stretch.replica.id)},
                )
                stretch.replica.state.clear(stretch.store)
        self._consumer.assign({place: None})

    def _reached_end(self, place: Place, offset: int, complete: list[Task]) -> None:
        for stretch in list(self._reading.get(place, ())):
            if stretch.position < offset and (stretch.end == ENDLESS or offset >= stretch.end):
                stretch.apply((), offset)  # behind the last record there are markers
            if offset >= stretch.end:
                self._finish(stretch, complete)

    def _leave(self, stretch: Stretch) -> None:
        """Reads no more for it."""
        reading = self._reading.get(stretch.place)
        if reading is not None:
            if stretch in reading:
                reading.remove(stretch)
            if not reading:
                self._stop_reading(stretch.place)

    def _finish(self, stretch: Stretch, complete: list[Task]) -> None:
        self._leave(stretch)
        if stretch.followed:
            return
        self._tell(stretch)
        left = self._open[stretch.replica.id] = self._open[stretch.replica.id] - 1
        if left == 0:
            del self._open[stretch.replica.id]
            self.progress = {place: told for place, told in self.progress.items() if place[0] != stretch.replica.id}
            assert isinstance(stretch.replica, Task)
            complete.append(stretch.replica)
            if stretch.replica.counters.restored:
                log.info(
                    "task_restored: %s, %d records in %.1f s",
                    stretch.replica.id,
                    stretch.replica.counters.restored,
                    self._clock() - stretch.began_at,
                    extra={"task": str(stretch.replica.id)},
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
            log_progress(progress_of(stretch, now))

    def _tell(self, stretch: Stretch) -> None:
        if stretch.store is not None:
            progress = progress_of(stretch, self._clock())
            self.progress = {**self.progress, (stretch.replica.id, stretch.store): progress}
            self._listener.on_restore(progress)
