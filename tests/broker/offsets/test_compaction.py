"""`__consumer_offsets` is compacted and still says the same after a restart."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker, BrokerOptions
from broker.topics.names import OFFSETS_TOPIC
from tests.broker.configs import alter
from tests.broker.waits import wait_for

GROUPS = 3


def test_offsets_topic_does_not_grow_with_commits_and_survives_kill_9(tmp_path: Path) -> None:
    options = BrokerOptions(data=tmp_path, cleaner_backoff_ms=20)
    with Broker(options=options) as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        admin.create_topics([NewTopic("t", 4)])["t"].result(10)
        consumers = [
            Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": f"g{group}"})
            for group in range(GROUPS)
        ]

        def commit(start: int, count: int) -> None:
            for offset in range(start, start + count):
                for consumer in consumers:
                    partition = TopicPartition("t", offset % 4, offset, metadata="m" * 100)
                    consumer.commit(offsets=[partition], asynchronous=False)

        commit(0, 1)
        alter(broker, OFFSETS_TOPIC, {"segment.bytes": "10000"})
        commit(1, 399)

        def size() -> int:
            total = 0
            for path in (tmp_path / "logs").glob(f"{OFFSETS_TOPIC}-*/*.log"):
                with suppress(FileNotFoundError):  # compacted away since it was listed
                    total += path.stat().st_size
            return total

        wait_for(lambda: size() < GROUPS * 15_000, "the offsets were compacted")
        commit(400, 10)
        broker.kill()
        broker.restart()
        for consumer in consumers:
            found = consumer.committed([TopicPartition("t", partition) for partition in range(4)], timeout=10)
            assert [one.offset for one in found] == [408, 409, 406, 407]
            consumer.close()
