"""aiokafka, a client that shares no code with librdkafka, in a group on the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


def consumer(servers: str, group: str, topic: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        heartbeat_interval_ms=100,
        session_timeout_ms=6_000,
        metadata_max_age_ms=1_000,
    )


def test_aiokafka_group_shares_and_commits(servers: str, make_topic: Callable[..., str], group: str) -> None:
    """Two members share the topic, one leaves, the other reads on from what was committed."""
    topic = make_topic(4, records=3)

    async def body() -> None:
        first, second = consumer(servers, group, topic), consumer(servers, group, topic)
        await first.start()
        await second.start()
        while not (len(first.assignment()) == len(second.assignment()) == 2):
            await first.getmany(timeout_ms=20, max_records=1)
        await asyncio.gather(first.seek_to_beginning(), second.seek_to_beginning())
        seen: set[tuple[int, int]] = set()
        while len(seen) < 12:
            for member in (first, second):
                for partition, messages in (await member.getmany(timeout_ms=100)).items():
                    seen |= {(partition.partition, message.offset) for message in messages}
        await first.commit()
        await second.commit()
        await second.stop()
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            for partition in range(4):
                await producer.send_and_wait(topic, b"late", partition=partition)
        late: set[int] = set()
        while len(late) < 4:
            for partition, messages in (await first.getmany(timeout_ms=100)).items():
                assert all(message.value == b"late" for message in messages), "a committed record came again"
                late.add(partition.partition)
        assert await first.committed(TopicPartition(topic, 0)) == 3
        await first.stop()

    asyncio.run(asyncio.wait_for(body(), 30))
