"""librdkafka (confluent-kafka), as it is."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture
def topic(broker: Broker) -> str:
    """A topic of three partitions."""
    return create(broker, 3)


def create(broker: Broker, partitions: int, **configs: str) -> str:
    name = f"topic-{uuid4().hex[:8]}"
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(name, partitions, config=settings)])[name].result(10)
    return name


def producer(broker: Broker, **settings: object) -> Producer:
    config = {key.replace("_", "."): value for key, value in settings.items()}
    return Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 1, **config})


@pytest.fixture
def consumer(broker: Broker) -> Iterator[Consumer]:
    client = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "none", "check.crcs": True})
    yield client
    client.close()


def read(
    consumer: Consumer, topic: str, count: int, partition: int = 0, offset: int = OFFSET_BEGINNING
) -> list[Message]:
    """That many records of a partition, in order."""
    consumer.assign([TopicPartition(topic, partition, offset)])
    found: list[Message] = []
    while len(found) < count:
        messages = consumer.consume(count - len(found), 10)
        assert messages, f"{count} records expected, {len(found)} came"
        for message in messages:
            assert message.error() is None, message.error()
        found += messages
    return found


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("idempotent", [False, True])
def test_records_come_back_as_they_were_sent(
    broker: Broker, topic: str, consumer: Consumer, codec: str, idempotent: bool
) -> None:
    """Keys, values, nulls, headers, timestamps; compressed and not; in batches and singly."""
    client = producer(broker, compression_type=codec, enable_idempotence=idempotent)
    expected = [
        (
            f"k{number}".encode() if number % 3 else None,
            b"v" * number if number % 5 else None,
            1_600_000_000_000 + number,
        )
        for number in range(1, 300)
    ]
    for key, value, timestamp in expected:
        client.produce(topic, value, key, partition=1, timestamp=timestamp, headers=[("h", key)])
    assert client.flush(10) == 0
    found = read(consumer, topic, len(expected), partition=1)
    assert [(one.key(), one.value(), one.timestamp()[1]) for one in found] == expected
    assert [one.offset() for one in found] == list(range(len(expected)))
    assert [one.headers() for one in found] == [[("h", key)] for key, _, _ in expected]


def test_delivery_reports_carry_offsets(broker: Broker, topic: str) -> None:
    offsets: list[int | None] = []
    client = producer(broker)
    for _ in range(5):
        client.produce(topic, b"v", partition=0, on_delivery=lambda error, message: offsets.append(message.offset()))
        client.flush(10)
    assert offsets == [0, 1, 2, 3, 4]


def test_topic_is_made_on_first_use(broker: Broker, consumer: Consumer) -> None:
    name = f"auto-{uuid4().hex[:8]}"
    client = producer(broker)
    client.produce(name, b"v")
    assert client.flush(10) == 0
    assert read(consumer, name, 1)[0].value() == b"v"
    assert list(client.list_topics(name).topics[name].partitions) == [0]


def test_watermarks_and_offsets_by_time(broker: Broker, topic: str, consumer: Consumer) -> None:
    client = producer(broker)
    for second in range(10):
        client.produce(topic, b"v", partition=2, timestamp=1_600_000_000_000 + second * 1_000)
        client.flush(10)
    assert consumer.get_watermark_offsets(TopicPartition(topic, 2)) == (0, 10)
    for asked, expected in ((0, 0), (1_600_000_004_500, 5), (1_600_000_009_000, 9), (1_600_000_010_000, -1)):
        (found,) = consumer.offsets_for_times([TopicPartition(topic, 2, asked)], timeout=10)
        assert found.offset == expected


def test_fetch_of_an_offset_that_is_not_there_follows_the_reset_policy(broker: Broker, topic: str) -> None:
    client = producer(broker)
    client.produce(topic, b"v", partition=0)
    client.flush(10)
    settings = {"bootstrap.servers": broker.bootstrap_servers, "group.id": "none"}
    late = Consumer(settings | {"auto.offset.reset": "error"})
    late.assign([TopicPartition(topic, 0, 50)])
    (message,) = late.consume(1, 10)
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError._AUTO_OFFSET_RESET
    late.close()


def test_consumer_sees_a_record_soon_after_it_is_produced(broker: Broker, topic: str, consumer: Consumer) -> None:
    """The append wakes the waiting fetch: well below fetch.wait.max.ms (500)."""
    import time

    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    client = producer(broker, linger_ms=0)
    client.produce(topic, b"warm up", partition=0)
    assert consumer.consume(1, 10)
    delays: list[float] = []
    for number in range(5):
        start = time.perf_counter()
        client.produce(topic, f"{number}".encode(), partition=0)
        client.poll(0)
        assert consumer.consume(1, 10)[0].value() == f"{number}".encode()
        delays.append(time.perf_counter() - start)
    assert min(delays) < 0.1


def test_large_records_pass_up_to_the_topics_limit(broker: Broker, consumer: Consumer) -> None:
    name = create(broker, 1, max_message_bytes="3000000")
    client = producer(broker, message_max_bytes=10_000_000)
    client.produce(name, b"x" * 2_900_000)
    assert client.flush(10) == 0
    errors: list[KafkaError | None] = []
    client.produce(name, b"x" * 3_100_000, on_delivery=lambda error, message: errors.append(error))
    client.flush(10)
    assert [error.code() for error in errors if error] == [KafkaError.MSG_SIZE_TOO_LARGE]
    assert len(read(consumer, name, 1)[0].value() or b"") == 2_900_000


def test_record_without_key_on_a_compacted_topic_is_refused_by_itself(broker: Broker) -> None:
    name = create(broker, 1, cleanup_policy="compact")
    errors: list[KafkaError | None] = []
    client = producer(broker)
    client.produce(name, b"v", on_delivery=lambda error, message: errors.append(error))
    client.flush(10)
    assert [error.code() for error in errors if error] == [KafkaError.INVALID_RECORD]


def test_internal_topic_cannot_be_written_to(broker: Broker) -> None:
    group = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "g-internal"})
    group.commit(offsets=[TopicPartition(create(broker, 1), 0, 1)], asynchronous=False)
    group.close()
    errors: list[KafkaError | None] = []
    client = producer(broker)
    client.produce("__consumer_offsets", b"v", b"k", on_delivery=lambda error, message: errors.append(error))
    client.flush(10)
    assert [error.code() for error in errors if error] == [KafkaError.TOPIC_EXCEPTION]


def test_deleted_topic_starts_anew(broker: Broker, consumer: Consumer) -> None:
    """A topic of the same name has another id and none of the old records."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    name = create(broker, 1)
    for value in (b"old", b"new"):
        client = producer(broker)
        client.produce(name, value)
        assert client.flush(10) == 0
        if value == b"old":
            admin.delete_topics([name])[name].result(10)
            admin.create_topics([NewTopic(name, 1)])[name].result(10)
    assert [one.value() for one in read(consumer, name, 1)] == [b"new"]


def test_delete_records_moves_the_start(broker: Broker, topic: str, consumer: Consumer) -> None:
    client = producer(broker)
    for number in range(10):
        client.produce(topic, f"{number}".encode(), partition=0)
    client.flush(10)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    at = TopicPartition(topic, 0, 4)
    assert admin.delete_records([at])[at].result(10).low_watermark == 4
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0)) == (4, 10)
    assert read(consumer, topic, 6)[0].value() == b"4"
    beyond = TopicPartition(topic, 0, 11)
    with pytest.raises(KafkaException):
        admin.delete_records([beyond])[beyond].result(10)
