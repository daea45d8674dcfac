"""A log and workers on it, for tests."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from streams import App
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.listener import Silent, StandbyEnd, StandbyUpdate
from streams.runtime.membership import CommittedOffset
from streams.runtime.options import WorkerOptions
from streams.runtime.phase import WorkerState
from streams.runtime.worker import Worker
from tests.streams.runtime.scripted import ScriptedMembership

DEADLINE_S = 60.0


def until(condition: Callable[[], Any], what: str = "the condition", deadline_s: float = DEADLINE_S) -> Any:
    """Waits until `condition()` is true and returns it."""
    end = time.monotonic() + deadline_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s:.0f} s for {what}")
        time.sleep(0.01)


class Heard(Silent):
    """Writes down what a worker tells."""

    def __init__(self) -> None:
        self.states: list[WorkerState] = []
        self.tasks: list[frozenset[TaskId]] = []
        self.restored: dict[tuple[TaskId, str], int] = {}
        self.commits = 0
        self.committed: list[frozenset[TaskId]] = []
        self.standbys: list[frozenset[TaskId]] = []
        self.standby_updates: list[tuple[str, str, int, int | None]] = []

    def on_standbys(self, tasks: frozenset[TaskId]) -> None:
        self.standbys.append(tasks)

    def on_standby_start(self, update: StandbyUpdate) -> None:
        self.standby_updates.append(("start", update.store, update.position, None))

    def on_standby_batch(self, update: StandbyUpdate, records: int) -> None:
        self.standby_updates.append(("batch", update.store, update.position, records))

    def on_standby_end(self, update: StandbyUpdate, reason: StandbyEnd) -> None:
        self.standby_updates.append((reason, update.store, update.position, update.end_offset))

    def on_state(self, before: WorkerState, after: WorkerState) -> None:
        self.states.append(after)

    def on_tasks(self, running: frozenset[TaskId], restoring: frozenset[TaskId]) -> None:
        self.tasks.append(running | restoring)

    def on_restore(self, progress: Any) -> None:
        if progress.done:
            self.restored[progress.task, progress.store] = progress.records

    def on_commit(self, tasks: frozenset[TaskId], duration_s: float) -> None:
        self.commits += 1
        self.committed.append(tasks)


class RunningWorker:
    """A worker in a thread of its own. `membership` is the scripted one, if it has one."""

    def __init__(self, worker: Worker, membership: ScriptedMembership, heard: Heard) -> None:
        self.worker = worker
        self.membership = membership
        self.heard = heard
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Commits and ends; raises what the worker failed with."""
        self.worker.stop()
        self.join()
        if self.error is not None:
            raise self.error

    def crash(self) -> None:
        """Ends as a kill would, as far as state and offsets can tell: nothing is committed any more."""
        thread = self.worker._thread
        assert thread is not None
        thread.leave = lambda *, failed: thread.tasks.close()  # type: ignore[method-assign]
        self.worker.stop()
        self.join()

    def join(self) -> None:
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the worker did not end"

    def failure(self) -> BaseException:
        """What the worker failed with."""
        self.join()
        assert self.error is not None, "the worker did not fail"
        return self.error

    def processed(self) -> int:
        if self.error is not None:
            raise self.error
        return self.worker.counters().get("processed", 0)

    def running(self) -> frozenset[TaskId]:
        if self.error is not None:
            raise self.error
        return self.worker.tasks()[0]


class Bench:
    """Names are made unique with `tag`, so that tests can share a broker."""

    def __init__(self, bootstrap_servers: str, directory: Path, tag: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.directory = directory
        self.tag = re.sub(r"[^A-Za-z0-9]+", "-", tag).strip("-")
        self.offsets: dict[tuple[str, int], CommittedOffset] = {}
        self._workers: list[RunningWorker] = []
        self.admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
        self.producer = Producer(
            {"bootstrap.servers": bootstrap_servers, "partitioner": "murmur2_random", "log_level": 0}
        )

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.worker.stop()
        for worker in self._workers:
            worker.join()

    def name(self, topic: str) -> str:
        return f"{self.tag}-{topic}"

    def topics(self, **partitions: int) -> None:
        """Creates topics under their unique names."""
        wanted = [NewTopic(self.name(topic), count) for topic, count in partitions.items()]
        for future in self.admin.create_topics(wanted).values():
            future.result(DEADLINE_S)

    def produce(self, topic: str, *records: tuple[str | None, bytes | None, int], partition: int = -1) -> None:
        """Sends (key, value, timestamp) records, and waits until they are there. A timestamp of 0 means now."""
        for record in records:
            self.produce_one(topic, record, partition=partition)
        self.flush()

    def produce_one(self, topic: str, record: tuple[str | None, bytes | None, int], partition: int = -1) -> None:
        """Sends a record sooner or later."""
        key, value, timestamp = record
        while True:
            try:
                self.producer.produce(self.name(topic), value, key, partition, timestamp=timestamp)
                return
            except BufferError:
                self.producer.poll(0.1)

    def flush(self) -> None:
        """Waits until what was sent is there."""
        assert self.producer.flush(DEADLINE_S) == 0

    def read(self, topic: str, *, own: bool = True) -> list[Any]:
        """All messages of a topic, partition by partition."""
        name = self.name(topic) if own else topic
        return self._read(name)[name]

    def read_each(self, *topics: str) -> dict[str, list[Any]]:
        """The same of several topics at once."""
        found = self._read(*(self.name(topic) for topic in topics))
        return {topic: found[self.name(topic)] for topic in topics}

    def _read(self, *names: str) -> dict[str, list[Any]]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": "reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )
        try:
            found: dict[tuple[str, int], list[Any]] = {}
            for name in names:
                partitions = consumer.list_topics(name, timeout=DEADLINE_S).topics[name].partitions
                found.update({(name, partition): [] for partition in sorted(partitions)})
            consumer.assign([TopicPartition(name, partition, 0) for name, partition in found])
            ended: set[tuple[str, int]] = set()
            while len(ended) < len(found):
                for message in consumer.consume(1000, 0.02):
                    place = message.topic(), message.partition()
                    if message.error() is not None:
                        ended.add(place)
                    else:
                        found[place].append(message)
            return {name: [each for place in found if place[0] == name for each in found[place]] for name in names}
        finally:
            consumer.close()

    def keep_busy(self, topic: str) -> bool:
        """One more record, so that there is something to commit."""
        self.produce(topic, ("busy", b"{}", 0))
        return True

    def start_offset(self, topic: str) -> int:
        """Where the first partition of a topic (under its full name) begins."""
        place = TopicPartition(topic, 0)
        return self.admin.list_offsets({place: OffsetSpec.earliest()})[place].result(DEADLINE_S).offset

    def latest(self, topic: str) -> dict[str, bytes | None]:
        """Key -> newest value."""
        return {message.key().decode(): message.value() for message in self.read(topic)}

    def partition_plan(self, app: App, **partitions: int) -> PartitionPlan:
        return app.plan().partitions({self.name(topic): count for topic, count in partitions.items()})

    def run(
        self,
        app: App,
        *tasks: TaskId,
        directory: str = "state",
        wait: bool = True,
        offsets: dict[tuple[str, int], CommittedOffset] | None = None,
        **options: Any,
    ) -> RunningWorker:
        """Runs a worker that gets `tasks`; returns when they run."""
        membership = ScriptedMembership(self.offsets if offsets is None else offsets)
        if tasks:
            membership.assign(*tasks)
        running = self._start(app, directory, membership, options)
        if wait and tasks:
            until(lambda: running.running() == frozenset(tasks), f"tasks {tasks} to run")
        return running

    def run_in_group(self, app: App, *, directory: str = "state", **options: Any) -> RunningWorker:
        """Runs a worker that is a member of the application's group."""
        return self._start(app, directory, None, {"heartbeat_interval_ms": 100, **options})

    def _start(
        self, app: App, directory: str, membership: ScriptedMembership | None, options: Mapping[str, Any]
    ) -> RunningWorker:
        chosen: Mapping[str, Any] = {
            "processing_guarantee": "exactly_once" if membership is None else "at_least_once",
            "commit_interval_ms": 100,
            "query_port": None,
            "watermark_interval_ms": 20,
            "watermark_idle_timeout_ms": 60_000,
            "client_config": {"log_level": 0},
            "stop_timeout_s": 5.0,
            **options,
        }
        heard = Heard()
        worker = Worker(
            app.plan(),
            WorkerOptions(
                application_id=app.plan().application_id,
                bootstrap_servers=self.bootstrap_servers,
                state_dir=self.directory / directory,
                **chosen,
            ),
            listener=heard,
            membership=None if membership is None else lambda *_: membership,
        )
        running = RunningWorker(worker, membership or ScriptedMembership(), heard)
        self._workers.append(running)
        return running
