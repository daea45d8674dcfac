"""Compacted topics as clients see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker, BrokerOptions
from tests.broker.configs import alter
from tests.broker.waits import wait_for

COMPACTED = {"cleanup.policy": "compact", "segment.bytes": "20000", "min.cleanable.dirty.ratio": "0.1"}


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker(options=BrokerOptions(cleaner_backoff_ms=20, retention_check_ms=20)) as running:
        yield running


def create(broker: Broker, topic: str, configs: dict[str, str]) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, config=configs)])[topic].result(10)


def size(broker: Broker, topic: str) -> int:
    """Of the segments; those that are deleted while it looks have none."""
    assert broker.data is not None
    found = 0
    for path in (broker.data / "logs" / f"{topic}-0").glob("*.log"):
        with suppress(FileNotFoundError):
            found += path.stat().st_size
    return found


def write(broker: Broker, topic: str, pairs: Iterator[tuple[str, str | None]], **settings: object) -> None:
    failures: list[str] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 1, **settings})
    for key, value in pairs:
        producer.produce(topic, value, key, on_delivery=lambda error, _: error and failures.append(str(error)))
        producer.poll(0)
    assert producer.flush(20) == 0
    assert failures == []


def read(broker: Broker, topic: str, start: int = OFFSET_BEGINNING) -> list[tuple[int, bytes | None, bytes | None]]:
    """(offset, key, value) of all records up to the end of the partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "none",
            "check.crcs": True,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 5,
        }
    )
    consumer.assign([TopicPartition(topic, 0, start)])
    found: list[tuple[int, bytes | None, bytes | None]] = []
    while True:
        message = consumer.poll(10)
        assert message is not None
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF
            consumer.close()
            return found
        offset = message.offset()
        assert offset is not None
        found.append((offset, message.key(), message.value()))


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_compacted_topic_is_read_completely_from_every_offset(broker: Broker, codec: str) -> None:
    """A producer writes the same keys again and again, idempotently; the topic stays small."""
    topic = f"changelog-{codec}"
    create(broker, topic, COMPACTED)
    count = 20_000
    pairs = [(f"key-{number % 100}", f"value-{number}-" + f"{number * 7919}" * 4) for number in range(count)]
    write(broker, topic, iter(pairs), **{"compression.type": codec, "enable.idempotence": True})
    pairs += [("key-1", None), ("extra", "1")]
    write(broker, topic, iter(pairs[-2:]))
    wait_for(lambda: size(broker, topic) < 150_000, "the topic was compacted")
    wait_for(lambda: len(read(broker, topic)) < count / 2, "compressed well, it is small before that")
    found = read(broker, topic)
    assert all((key, value) == tuple(text and text.encode() for text in pairs[offset]) for offset, key, value in found)
    expected = {key.encode(): value and value.encode() for key, value in pairs}
    assert {key: value for _, key, value in found} == expected
    for start in range(0, count, 2_111):
        assert [one for one in read(broker, topic, start) if one[0] < start] == []
        assert {key: value for _, key, value in read(broker, topic, start)}.items() <= expected.items()


def test_records_without_key_are_refused_one_by_one_and_the_rest_of_the_batch_with_them(broker: Broker) -> None:
    create(broker, "keyed", COMPACTED)
    outcomes: dict[int, int | None] = {}
    # The batch goes when it holds four records, not when some time is over: they stay together on the slowest machine.
    gathering = {"linger.ms": 60_000, "batch.num.messages": 4, "enable.idempotence": False}
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, **gathering})

    def note(number: int) -> object:
        return lambda error, _: outcomes.__setitem__(number, error and error.code())

    for number, key in enumerate(["a", None, "b", None]):
        producer.produce("keyed", "v", key, on_delivery=note(number))
    wait_for(lambda: producer.poll(0.1) >= 0 and len(outcomes) == 4, "each record was answered")
    # KIP-467: the records at fault get INVALID_RECORD, their neighbours learn that they were in bad company.
    assert outcomes[1] == outcomes[3] == KafkaError.INVALID_RECORD
    assert outcomes[0] == outcomes[2] == KafkaError._INVALID_DIFFERENT_RECORD
    assert read(broker, "keyed") == []


def test_configs_of_compaction_and_retention_take_effect_while_the_broker_runs(broker: Broker) -> None:
    """A topic that keeps everything is told to compact, and then to delete by size."""
    create(broker, "changing", {"retention.ms": "-1", "segment.bytes": "5000"})
    pairs = [(f"key-{number % 10}", f"value-{number}") for number in range(3_000)]
    for start in range(0, 3_000, 100):
        write(broker, "changing", iter(pairs[start : start + 100]))
    assert len(read(broker, "changing")) == 3_000
    alter(broker, "changing", {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0"})
    wait_for(lambda: size(broker, "changing") < 15_000, "the topic was compacted")
    found = read(broker, "changing")
    assert {key: value for _, key, value in found} == {key.encode(): value.encode() for key, value in pairs}
    alter(broker, "changing", {"cleanup.policy": "delete", "retention.bytes": "1"})
    wait_for(lambda: size(broker, "changing") < 6_000, "old segments went")
    assert read(broker, "changing")[-1] == found[-1]
