"""Loading flights: complete, in order, each where Kafka's partitioner puts it, and continued where it stopped."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from broker import Broker
from streams.cli.clients import admin_at, consumer, producer
from streams.demo.dataset import Flights, read_flights
from streams.demo.loader import (
    AIRPORTS_TOPIC,
    FLIGHTS_TOPIC,
    PRODUCER_CONFIG,
    DeliveryFailures,
    FlightLoader,
    load_airports,
)
from streams.demo.topics import create_topics, record_counts
from streams.discovery import BrokerLocation
from streams.errors import ConfigError, ProduceError
from streams.partitioner import partition_for_key

PARTITIONS = 3


@pytest.fixture
def location() -> Iterator[BrokerLocation]:
    """A broker with the demo's topics."""
    with Broker() as broker:
        location = BrokerLocation(bootstrap_servers=broker.bootstrap_servers, origin="argument")
        create_topics(admin_at(location), partitions=PARTITIONS)
        yield location


def connected(location: BrokerLocation) -> tuple[Producer, DeliveryFailures]:
    failures = DeliveryFailures()
    return producer(location, on_delivery=failures, **PRODUCER_CONFIG), failures


def load(location: BrokerLocation, flights: Flights) -> FlightLoader:
    client = consumer(location)
    present = record_counts(client, FLIGHTS_TOPIC, partitions=PARTITIONS)
    client.close()
    loader = FlightLoader(*connected(location), flights, present)
    loader.start()
    loader.wait(60)
    assert loader.error is None
    assert loader.finished
    return loader


def on_topic(location: BrokerLocation, topic: str) -> list[list[tuple[bytes, bytes, int]]]:
    """Key, value and timestamp of all records, by partition."""
    client: Consumer = consumer(location)
    client.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    found: list[list[tuple[bytes, bytes, int]]] = [[] for _ in range(PARTITIONS)]
    ended: set[int] = set()
    while len(ended) < PARTITIONS:
        for message in client.consume(5000, 0.2):
            if message.error() is not None:
                ended.add(message.partition() or 0)
            else:
                found[message.partition() or 0].append((message.key(), message.value(), message.timestamp()[1]))
    client.close()
    return found


def expected(flights: Flights) -> list[list[tuple[bytes, bytes, int]]]:
    by_partition: list[list[tuple[bytes, bytes, int]]] = [[] for _ in range(PARTITIONS)]
    for batch in flights.batches():
        for record in zip(batch.keys, batch.values, batch.timestamps):
            by_partition[partition_for_key(record[0], PARTITIONS)].append(record)
    return by_partition


def test_loader_continues_an_earlier_load_without_gap_or_double(location: BrokerLocation) -> None:
    """After any prefix, the rest follows: same records, same order, same partitions, event time as timestamp."""
    assert load(location, read_flights(rows=7_123)).loaded == 7_123
    everything = read_flights(rows=20_000)
    loader = load(location, everything)
    assert loader.loaded == 20_000
    assert on_topic(location, FLIGHTS_TOPIC) == expected(everything)


def test_loader_stopped_early_leaves_a_prefix_of_each_partition(location: BrokerLocation) -> None:
    """Ctrl-C in the middle of the load."""
    flights = read_flights(rows=200_000)
    loader = FlightLoader(*connected(location), flights, [0] * PARTITIONS)
    loader.start()
    loader.stop()
    assert not loader.finished
    found = on_topic(location, FLIGHTS_TOPIC)
    assert sum(map(len, found)) == loader.loaded < 200_000
    for partition, all_of_it in zip(found, expected(flights)):
        assert partition == all_of_it[: len(partition)]


def test_load_airports_come_before_the_first_flight(location: BrokerLocation) -> None:
    """A join reads by time: an airport later than its flight would be missed."""
    flights = read_flights(rows=10)
    number = load_airports(*connected(location), partitions=PARTITIONS, timestamp=flights.first_timestamp)
    records = [record for partition in on_topic(location, AIRPORTS_TOPIC) for record in partition]
    assert len(records) == number == 3376
    assert all(timestamp < flights.first_timestamp for _, _, timestamp in records)
    seattle = {key: value for key, value, _ in records}[b"SEA"]
    assert msgspec.json.decode(seattle) == {"iata": "SEA", "city": "Seattle", "state": "WA"}


def test_loader_refused_record_is_an_error() -> None:
    """What the broker does not take does not pass for loaded."""
    with Broker() as broker:
        location = BrokerLocation(bootstrap_servers=broker.bootstrap_servers, origin="argument")
        admin_at(location).create_topic(FLIGHTS_TOPIC, partitions=PARTITIONS, configs={"max.message.bytes": "100"})
        loader = FlightLoader(*connected(location), read_flights(rows=1000), [0] * PARTITIONS)
        loader.start()
        loader.wait(60)
        assert isinstance(loader.error, ProduceError)
        assert str(loader.error).startswith("flights: ")
        assert not loader.finished


def test_create_topics_with_another_number_of_partitions_is_refused(location: BrokerLocation) -> None:
    """Keys would lie elsewhere."""
    with pytest.raises(ConfigError, match="has 3 partitions, not 4"):
        create_topics(admin_at(location), partitions=4)
