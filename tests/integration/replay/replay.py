"""A replay: a broker with a part of history on it, worker processes that come and go, and what they put out."""

from __future__ import annotations

import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from streams.cli.clients import admin_at
from streams.cli.home import Home
from streams.cli.worker_process import WorkerCommand, WorkerProcess
from streams.demo.dataset import airport_records
from streams.demo.flight_delays import Airport
from streams.demo.loader import PRODUCER_CONFIG, DeliveryFailures
from streams.demo.topics import KEEP_ALL
from streams.discovery import locate_broker
from streams.partitioner import partition_for_key
from tests.cluster import Cluster
from tests.integration.replay.history import Event, History

PARTITIONS = 4
ENDED_WELL = {None, 0, -9}
LOOK_S = 0.5
"""How often workers are asked what they have dropped: to tell, they leave their records lying."""
Result = tuple[Any, ...]
"""Key, the value's elements, and the timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An application under test: its module and id, the topics it reads events from, and those it writes.

    `inputs`: topic -> the events of a history that belong there; they are loaded in this order.
    `key`: what an event's key is.
    """

    module: str
    application_id: str
    inputs: Mapping[str, Callable[[History], list[Event]]]
    outputs: tuple[str, ...]
    key: Callable[[Event], str] = lambda event: event.origin
    with_airports: bool = False


class Replay:
    """Owns the clients and the workers it started; ends all of them with the block."""

    def __init__(
        self, job: Job, history: History, cluster: Cluster, directory: Path, *, deadline_s: float = 60.0
    ) -> None:
        self.job = job
        self.history = history
        self.deadline_s = deadline_s
        self._cluster = cluster
        self._directory = directory
        self._home = Home(directory / "home")
        self._log = directory / "worker.log"
        self._workers: list[WorkerProcess] = []
        self._dropped: dict[tuple[int, str, str], int] = {}
        self._results: dict[str, list[Result]] = {topic: [] for topic in job.outputs}
        self._read_to: dict[tuple[str, int], int] = {}

    def __enter__(self) -> Replay:
        self._home.path.mkdir(parents=True)
        with ExitStack() as owned:
            self._connect(owned)
            self._owned = owned.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end(0)
        self._owned.close()

    def _connect(self, owned: ExitStack) -> None:
        """Makes topics and clients."""
        servers = self._cluster.bootstrap_servers
        client = {"bootstrap.servers": servers, "log_level": 0}
        admin = admin_at(locate_broker(servers))
        for topic in (*self.job.inputs, *self.job.outputs):
            admin.create_topic(topic, partitions=PARTITIONS, configs=KEEP_ALL)
        self._failures = DeliveryFailures()
        self._producer = Producer({**client, "on_delivery": self._failures, **PRODUCER_CONFIG})
        self._group = Consumer({**client, "group.id": self.job.application_id})
        owned.callback(self._group.close)
        soon = {"fetch.queue.backoff.ms": 10, "fetch.wait.max.ms": 50}
        self._output = Consumer({**client, "group.id": "test-output", "enable.partition.eof": True, **soon})
        owned.callback(self._output.close)
        self._output.assign([TopicPartition(topic, p, 0) for topic in self.job.outputs for p in range(PARTITIONS)])
        if self.job.with_airports:
            admin.create_topic("airports", partitions=PARTITIONS, configs={"cleanup.policy": "compact"})
            self._produce("airports", ((key, value, 1) for key, value in airport_records()))
            self._flush("airports")

    # -- history -----------------------------------------------------------------------------------------------------
    def load(self, start: float, end: float, *, apart: bool = False) -> None:
        """Loads that part of history, 0 to 1. `apart`: one partition after the other, the whole part of each, so that
        the first is read to its end before there is anything in the last."""
        for topic, events_of in self.job.inputs.items():
            events = events_of(self.history)
            part = events[int(len(events) * start) : int(len(events) * end)]
            if not apart:
                self._produce(topic, self._records(part))
                self._flush(topic)
                continue
            partitions: list[list[Event]] = [[] for _ in range(PARTITIONS)]
            for event in part:
                partitions[self._partition_of(event)].append(event)
            for events in partitions:
                self._produce(topic, self._records(events))
                self._flush(topic)

    def load_end(self) -> None:
        """Loads the rounds of records that close everything. New airports come, too: a table that nothing happens to
        would hold time back until it counts as idle."""
        for topic in self.job.inputs:
            self._produce(topic, self._records(self.history.rounds))
        for topic in self.job.inputs:
            self._flush(topic)
        if self.job.with_airports:
            rounds = ((event.id, event.ts) for event in self.history.rounds)
            made = ((key, msgspec.json.encode(Airport(key, "", "")), ts) for key, ts in rounds)
            self._produce("airports", ((key.encode(), value, ts) for key, value, ts in made))
            self._flush("airports")

    def _partition_of(self, event: Event) -> int:
        return partition_for_key(self.job.key(event).encode(), PARTITIONS)

    def _records(self, events: Iterable[Event]) -> Iterable[tuple[bytes, bytes, int]]:
        key, encode = self.job.key, msgspec.json.Encoder().encode
        return ((key(event).encode(), encode(event), event.ts) for event in events)

    def _produce(self, topic: str, records: Iterable[tuple[bytes, bytes, int]]) -> None:
        partition_of: dict[bytes, int] = {}
        for key, value, timestamp in records:
            partition = partition_of.get(key)
            if partition is None:
                partition = partition_of[key] = partition_for_key(key, PARTITIONS)
            while True:
                try:
                    self._producer.produce(topic, value, key, partition, timestamp=timestamp)
                    break
                except BufferError:
                    self._producer.poll(0.05)

    def _flush(self, topic: str) -> None:
        assert self._producer.flush(self.deadline_s) == 0
        self._failures.check(topic)

    # -- workers -----------------------------------------------------------------------------------------------------
    def start(self, host: str = "one", *, wait: bool = True) -> WorkerProcess:
        """Starts a worker on a host, which is a state directory of its own; returns when it has tasks."""
        command = WorkerCommand(
            application=f"{self.job.module}:app",
            bootstrap_servers=self._cluster.bootstrap_servers,
            state_dir=self.state_dir(host),
            home=self._home.path,
        )
        with self._log.open("ab") as log:
            worker = WorkerProcess(command, talk_to=log)
        self._workers.append(worker)
        if wait:
            self.wait_for_tasks(worker)
        return worker

    def state_dir(self, host: str) -> Path:
        return self._directory / f"state-{host}"

    def wait_for_tasks(self, worker: WorkerProcess) -> None:
        def running() -> bool:
            return any(
                sample.name == "headrace_tasks" and sample.labels["state"] == "running" and sample.value > 0
                for sample in self._samples(worker, "headrace_tasks")
            )

        self.until(running, "a worker to have tasks")

    def stop(self, worker: WorkerProcess) -> None:
        """SIGTERM; the worker must commit, leave and end by itself with exit code 0."""
        self._note_dropped(worker)
        worker.ask_to_stop()
        assert worker.end(self.deadline_s), f"the worker did not stop:\n{self.log_text()}"
        assert worker.exit_code() == 0, self.log_text()

    def kill(self, worker: WorkerProcess) -> None:
        self._note_dropped(worker)
        worker.end(0)

    def log_text(self) -> str:
        return self._log.read_text()[-4000:] if self._log.exists() else ""

    def _metrics(self, worker: WorkerProcess) -> str:
        """Prometheus' page of a worker; empty while it has none."""
        for announced in self._home.workers():
            if announced.pid == worker.pid:
                try:
                    with urllib.request.urlopen(f"http://{announced.endpoint}/metrics", timeout=10) as page:
                        return page.read().decode()
                except OSError:
                    return ""
        return ""

    def _samples(self, worker: WorkerProcess, metric: str) -> Iterator[Sample]:
        """Those of the metrics whose names begin so. The others, which are hundreds, are not parsed."""
        lines = [line for line in self._metrics(worker).splitlines() if line.startswith(metric)]
        for family in text_string_to_metric_families("\n".join(lines)):
            yield from family.samples

    def _note_dropped(self, worker: WorkerProcess) -> None:
        for sample in self._samples(worker, "headrace_task_dropped"):
            place = worker.pid, sample.labels["task_id"], sample.name
            self._dropped[place] = max(int(sample.value), self._dropped.get(place, 0))

    @property
    def dropped(self) -> dict[tuple[int, str, str], int]:
        """(process, task, kind) -> how many records it dropped, as far as it was looked at, where any."""
        return {place: count for place, count in self._dropped.items() if count}

    # -- progress and results ----------------------------------------------------------------------------------------
    def wait_for_part(self, part: float) -> None:
        """Until the workers have committed so much of what is loaded, 0 to 1."""
        places = [TopicPartition(topic, p) for topic in self.job.inputs for p in range(PARTITIONS)]
        ends = sum(self._group.get_watermark_offsets(place, timeout=10)[1] for place in places)

        def committed() -> bool:
            return sum(max(place.offset, 0) for place in self._group.committed(places, timeout=10)) >= ends * part

        self.until(committed, f"{part:.0%} of the input to be processed")

    def wait_for_results(self, number: int) -> None:
        """Until so many results lie before the end of history."""

        def there() -> bool:
            self._read(0.1)
            return sum(len(results) for results in self._results.values()) >= number

        self.until(there, lambda: f"{number} results, {sum(map(len, self._results.values()))} are there")

    def finish(self, expected: Mapping[str, Counter[Result]]) -> None:
        """Waits for as many results as expected, stops the workers, and compares all that came out ever.

        Results are expected without timestamps.
        """
        self.wait_for_results(sum(results.total() for results in expected.values()))
        for worker in self._workers:
            if worker.exit_code() is None:
                self.stop(worker)
        self._read_to_the_end()
        for topic, wanted in expected.items():
            found = Counter(self._results[topic])
            missing, surplus = wanted - found, found - wanted
            assert found == wanted, (
                f"{topic}: {missing.total()} of {wanted.total()} results are missing, such as {some(missing)}; "
                f"{surplus.total()} are not right, such as {some(surplus)}"
            )
        assert self.dropped == {}

    def until(self, condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
        deadline, look = time.monotonic() + self.deadline_s, 0.0
        while not condition():
            for worker in self._workers:
                assert worker.exit_code() in ENDED_WELL, f"a worker ended:\n{self.log_text()}"
            if time.monotonic() > look:
                for worker in self._workers:
                    self._note_dropped(worker)
                look = time.monotonic() + LOOK_S
            assert self.dropped == {}, f"within grace, and dropped: {self.dropped}"
            waited_for = what if isinstance(what, str) else what()
            assert time.monotonic() < deadline, f"waited for {waited_for}; dropped: {self.dropped}\n{self.log_text()}"
            time.sleep(0.05)

    def _read_to_the_end(self) -> None:
        ends = {
            (topic, p): self._group.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1]
            for topic in self.job.outputs
            for p in range(PARTITIONS)
        }

        def read() -> bool:
            self._read(0.1)
            return all(self._read_to.get(place, 0) >= end for place, end in ends.items())

        self.until(read, "the output to be read to its end")

    def _read(self, wait_s: float) -> None:
        """Takes in what is there; results of the rounds after history are left out."""
        decode = msgspec.json.decode
        for message in self._output.consume(10_000, wait_s):
            ended = message.error() is not None  # the only event: the offset at which a partition ends
            self._read_to[message.topic(), message.partition()] = message.offset() + (0 if ended else 1)
            if not ended and message.timestamp()[1] < self.history.ends:
                key = message.key()
                self._results[message.topic()].append((key.decode(), *decode(message.value())))


def some(results: Counter[Result]) -> list[Result]:
    return sorted(results, key=str)[:3]
