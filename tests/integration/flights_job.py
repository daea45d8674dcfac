"""The flight-delays job under test: a broker, flights loaded in parts, and worker processes that come and go."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from streams.cli.clients import admin_at
from streams.demo.batch_answer import Comparison, batch_answer, compare
from streams.demo.dataset import Flights
from streams.demo.flight_delays import OUTPUT_TOPIC
from streams.demo.loader import FLIGHTS_TOPIC, PRODUCER_CONFIG, DeliveryFailures, load_airports
from streams.demo.tally import Tally
from streams.demo.topics import create_topics
from streams.discovery import locate_broker
from streams.partitioner import partition_for_key
from tests.integration.worker_fleet import DEADLINE_S, RunningBroker, WorkerFleet

REPARTITION_TOPIC = "flight-delays-delays-by-state-repartition"


class FlightsJob:
    """Owns nothing but what it started: `close` ends the workers."""

    def __init__(
        self,
        broker: RunningBroker,
        flights: Flights,
        directory: Path,
        *,
        partitions: int = 4,
        tally: Tally | None = None,
    ) -> None:
        self.broker = broker
        self.partitions = partitions
        self.flights = flights
        self.workers = WorkerFleet("streams.demo.flight_delays:app", broker, directory)
        self.tally = tally if tally is not None else Tally()
        self._read_to: dict[int, int] = {}
        servers = broker.bootstrap_servers
        client = {"bootstrap.servers": servers, "log_level": 0}
        create_topics(admin_at(locate_broker(servers)), partitions=partitions)
        self._failures = DeliveryFailures()
        self._producer = Producer(
            {**client, "enable.idempotence": True, "on_delivery": self._failures, **PRODUCER_CONFIG}
        )
        load_airports(self._producer, self._failures, partitions=partitions, timestamp=flights.first_timestamp)
        self._output = Consumer(
            {
                **client,
                "group.id": "test-output",
                "fetch.queue.backoff.ms": 10,
                "fetch.wait.max.ms": 50,
                "enable.partition.eof": True,
            }
        )
        self._group = Consumer({**client, "group.id": "flight-delays"})
        self._output.assign([TopicPartition(OUTPUT_TOPIC, p, 0) for p in range(partitions)])

    # -- flights -------------------------------------------------------------------------------------------------------
    def load(self, start: int, end: int) -> None:
        """Loads the flights from row `start` up to row `end` and waits until the broker has them."""
        self.send(start, end)
        assert self._producer.flush(DEADLINE_S) == 0
        self._failures.check(FLIGHTS_TOPIC)

    def send(self, start: int, end: int) -> None:
        """Hands the flights to the producer without waiting."""
        part = Flights(self.flights.table.slice(start, end - start), fingerprint="part")
        for batch in part.batches():
            for key, value, timestamp in zip(batch.keys, batch.values, batch.timestamps):
                partition = partition_for_key(key, self.partitions)
                self._producer.produce(FLIGHTS_TOPIC, value, key, partition, timestamp=timestamp)
            self._producer.poll(0)

    # -- results -------------------------------------------------------------------------------------------------------
    def wait_for_flights(self, number: int) -> None:
        """Reads the output until at least `number` flights are counted."""
        self._read_until(lambda: self.tally.flights >= number, f"{number} flights counted")

    def settle(self) -> Comparison:
        """The comparison with the batch answer once every flight is counted, or once nothing more comes."""
        expected = sum(row.flights for row in batch_answer(self.flights).values())
        self.wait_for_flights(expected)
        return compare(self.tally.rows(), batch_answer(self.flights))

    def wait_until_processed(self) -> None:
        """Reads the output until the workers have committed all flights, and then all that came of them half way."""
        for topic in (FLIGHTS_TOPIC, REPARTITION_TOPIC):
            ends = self._ends(topic)
            self._read_until(lambda ends=ends: self._is_committed(ends), f"{topic} committed to its end")
        self.drain()

    def _ends(self, topic: str) -> list[TopicPartition]:
        partitions = [TopicPartition(topic, p) for p in range(self.partitions)]
        return [
            TopicPartition(topic, p.partition, self._group.get_watermark_offsets(p, timeout=10)[1]) for p in partitions
        ]

    def _is_committed(self, ends: list[TopicPartition]) -> bool:
        committed = self._group.committed(ends, timeout=10)
        return all(mine.offset >= end.offset for mine, end in zip(committed, ends, strict=True))

    def drain(self) -> None:
        """Reads what the output topic holds to its end, transaction markers and all."""
        ends = {end.partition: end.offset for end in self._ends(OUTPUT_TOPIC)}
        self._read_until(
            lambda: all(self._read_to.get(partition, 0) >= end for partition, end in ends.items()),
            "the output read to its end",
        )

    def read_output(self) -> None:
        """Reads what the output topic holds now."""
        while messages := self._output.consume(5000, 0.02):
            self._take(messages)

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            ended = message.error() is not None  # the only event: the offset at which a partition ends
            self._read_to[message.partition()] = message.offset() + (0 if ended else 1)
        self.tally.add([message for message in messages if message.error() is None])

    def _read_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not done():
            self._take(self._output.consume(5000, 0.1))
            self.workers.check()
            assert time.monotonic() < deadline, f"not {what} but {self.tally.flights}:\n{self.workers.log_text()}"

    def close(self) -> None:
        self.workers.close()
        self._output.close()
        self._group.close()
