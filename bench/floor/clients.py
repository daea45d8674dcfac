"""Client settings of the floor programs: the same as a headrace worker's, so that only the loop differs."""

from __future__ import annotations

from confluent_kafka import Consumer, Producer


def consumer(bootstrap_servers: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 10,
            "queued.max.messages.kbytes": 65536,
        }
    )


def producer(bootstrap_servers: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "delivery.report.only.error": True,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 500_000,
        }
    )
