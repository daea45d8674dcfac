"""aiokafka with transactions, as it is: an independent client, version 0 of each API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

MakeTopic = Callable[..., str]
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 60))


async def read(servers: str, topic: str, count: int) -> list[bytes | None]:
    """The first values a read_committed consumer sees."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    found: list[bytes | None] = []
    while len(found) < count:
        found.append((await consumer.getone()).value)
    await consumer.stop()
    return found


def test_aborted_transactions_are_left_out(servers: str, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic()

    async def work() -> list[bytes | None]:
        producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=unique)
        await producer.start()
        for number in range(6):
            await producer.begin_transaction()
            for index in range(2):
                await producer.send_and_wait(topic, f"{number}-{index}".encode(), partition=0)
            if number % 2:
                await producer.commit_transaction()
            else:
                await producer.abort_transaction()
        await producer.stop()
        return await read(servers, topic, 6)

    assert run(work()) == [f"{number}-{index}".encode() for number in (1, 3, 5) for index in (0, 1)]


def test_second_producer_fences_the_first(servers: str, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic()

    async def work() -> list[bytes | None]:
        first = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=unique)
        await first.start()
        await first.begin_transaction()
        await first.send_and_wait(topic, b"first", partition=0)
        second = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=unique)
        await second.start()
        with pytest.raises(ProducerFenced):
            await first.commit_transaction()
        async with second.transaction():
            await second.send_and_wait(topic, b"second", partition=0)
        found = await read(servers, topic, 1)
        await second.stop()
        await first.stop()
        return found

    assert run(work()) == [b"second"]


def test_offsets_count_with_the_transaction(servers: str, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic()

    async def work() -> list[int | None]:
        at = TopicPartition(topic, 0)
        producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=unique)
        consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=unique, enable_auto_commit=False)
        await producer.start()
        await consumer.start()
        consumer.assign([at])
        seen: list[int | None] = []
        for offset, commit in ((3, True), (9, False)):
            await producer.begin_transaction()
            await producer.send_offsets_to_transaction({at: offset}, unique)
            if commit:
                await producer.commit_transaction()
            else:
                await producer.abort_transaction()
            while (offset := await consumer.committed(at)) is None:
                continue  # Apache Kafka ends transactions after it has answered
            seen.append(offset)
        await producer.stop()
        await consumer.stop()
        return seen

    assert run(work()) == [3, 3]
