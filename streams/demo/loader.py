"""Puts the demo's flights onto their topic, in a thread of its own, and goes on where an earlier run stopped.

Flights are produced in the order of departure, each to the partition of its origin. The producer is idempotent, so a
partition holds, at any moment and after any crash, a prefix of the flights that belong there. To continue, as many
flights of a partition are passed over as it has records already.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from streams.demo.dataset import FlightBatch, Flights, airport_records
from streams.errors import ProduceError
from streams.partitioner import partition_for_key
from streams.sent_time import sent_time

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

FLIGHTS_TOPIC = "flights"
AIRPORTS_TOPIC = "airports"
CHUNK = 5_000
FLUSH_TIMEOUT_S = 60.0
DAY_MS = 86_400_000

PRODUCER_CONFIG = {
    "linger.ms": 20,
    "batch.size": 1_000_000,
    "batch.num.messages": 50_000,
    "queue.buffering.max.messages": 300_000,
    "delivery.report.only.error": True,
}


class DeliveryFailures:
    """The first record the broker refused. With reports for errors only, an empty queue and none here means that
    everything is acknowledged."""

    def __init__(self) -> None:
        self.first: KafkaError | None = None

    def __call__(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and self.first is None:
            self.first = error

    def check(self, topic: str) -> None:
        if self.first is not None:
            raise ProduceError(f"{topic}: {self.first.str()}", topic=topic)


def load_airports(producer: Producer, failures: DeliveryFailures, *, partitions: int, timestamp: int) -> int:
    """Puts all airports onto their topic and waits for the broker; returns how many.

    Their time lies a day before `timestamp`, the first flight's: a join reads by time, and a table row that comes
    later than the stream record is not joined.
    """
    number = 0
    for key, value in airport_records():
        partition = partition_for_key(key, partitions)
        producer.produce(AIRPORTS_TOPIC, value, key, partition, None, None, sent_time(max(0, timestamp - DAY_MS)))
        number += 1
    _flush(producer, failures, AIRPORTS_TOPIC)
    return number


class FlightLoader:
    """Loads flights in the background. Others may read `loaded`, `finished` and `error` at any time."""

    def __init__(
        self, producer: Producer, failures: DeliveryFailures, flights: Flights, present: Sequence[int]
    ) -> None:
        """`present`: how many records each partition of the topic holds already."""
        self._producer = producer
        self._failures = failures
        self._flights = flights
        self._skip = list(present)
        self._partition_of: dict[bytes, int] = {}
        self._queued = 0
        self._passed_over = sum(present)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flight-loader", daemon=True)
        self.error: Exception | None = None
        self.finished = False

    @property
    def loaded(self) -> int:
        """Flights on the topic, those of earlier runs included."""
        return self._passed_over + max(0, self._queued - len(self._producer))

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout_s: float) -> None:
        """Returns when the loading has ended, well or not, or the time is over."""
        self._thread.join(timeout_s)

    def stop(self) -> None:
        """Ends the loading early, after what is queued has been acknowledged."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for batch in self._flights.batches():
                for start in range(0, len(batch.values), CHUNK):
                    if self._stop.is_set():
                        break
                    self._produce(batch, start)
            _flush(self._producer, self._failures, FLIGHTS_TOPIC)
            self.finished = not self._stop.is_set()
        except Exception as error:  # handed to the owner, who looks at `error` while waiting
            self.error = error

    def _produce(self, batch: FlightBatch, start: int) -> None:
        produce: Any = (
            self._producer.produce
        )  # positional arguments: half the time of keyword ones, half a million times
        partition_of, skip, count = self._partition_of, self._skip, len(self._skip)
        queued = 0
        end = start + CHUNK
        for key, value, timestamp in zip(
            islice(batch.keys, start, end), islice(batch.values, start, end), islice(batch.timestamps, start, end)
        ):
            partition = partition_of.get(key)
            if partition is None:
                partition = partition_of[key] = partition_for_key(key, count)
            if skip[partition]:
                skip[partition] -= 1
                continue
            while True:
                try:
                    produce(FLIGHTS_TOPIC, value, key, partition, None, None, timestamp)
                    break
                except BufferError:
                    self._producer.poll(0.05)  # librdkafka's queue is full: let it drain
            queued += 1
        self._queued += queued
        self._producer.poll(0)
        self._failures.check(FLIGHTS_TOPIC)


def _flush(producer: Producer, failures: DeliveryFailures, topic: str) -> None:
    unsent = producer.flush(FLUSH_TIMEOUT_S)
    failures.check(topic)
    if unsent:
        raise ProduceError(
            f"{topic}: {unsent} records were not acknowledged within {FLUSH_TIMEOUT_S:.0f} s", topic=topic
        )
