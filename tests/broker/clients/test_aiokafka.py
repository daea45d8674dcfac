"""aiokafka, as it is: an independent codec and old API versions."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from broker import Broker

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 30))


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", [False, True])
def test_records_come_back_as_they_were_sent(broker: Broker, codec: str | None, idempotent: bool) -> None:
    name = f"aio-{codec}-{idempotent}"
    values = [f"value {number}".encode() * 20 for number in range(200)]

    async def work() -> list[tuple[int, bytes | None, int]]:
        producer = AIOKafkaProducer(
            bootstrap_servers=broker.bootstrap_servers, compression_type=codec, enable_idempotence=idempotent
        )
        await producer.start()
        for number, value in enumerate(values):
            await producer.send(name, value, b"key", timestamp_ms=1_600_000_000_000 + number)
        await producer.stop()
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([TopicPartition(name, 0)])
        found: list[tuple[int, bytes | None, int]] = []
        while len(found) < len(values):
            for messages in (await consumer.getmany(timeout_ms=1_000)).values():
                found += [(one.offset, one.value, one.timestamp) for one in messages]
        await consumer.stop()
        return found

    assert run(work()) == [(number, value, 1_600_000_000_000 + number) for number, value in enumerate(values)]


def test_offsets_of_a_partition(broker: Broker) -> None:
    async def work() -> tuple[int, int, int, int | None]:
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
        await producer.start()
        for number in range(5):
            await producer.send_and_wait("aio-offsets", b"v", timestamp_ms=1_600_000_000_000 + number)
        await producer.stop()
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers)
        await consumer.start()
        at = TopicPartition("aio-offsets", 0)
        beginning = (await consumer.beginning_offsets([at]))[at]
        end = (await consumer.end_offsets([at]))[at]
        found = (await consumer.offsets_for_times({at: 1_600_000_000_003}))[at]
        missing = (await consumer.offsets_for_times({at: 1_700_000_000_000}))[at]
        await consumer.stop()
        assert found is not None
        return beginning, end, found.offset, missing and missing.offset

    assert run(work()) == (0, 5, 3, None)
