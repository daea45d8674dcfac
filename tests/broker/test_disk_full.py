"""A really full disk, a small tmpfs: clients are refused, nothing is lost, and all goes on when there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from broker.verification.data import Verification

SIZE = 1 << 22
PAGE = 4096


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a tmpfs")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


class Ballast:
    """Takes all the room there is."""

    def __init__(self, path: Path) -> None:
        self.path = path / "ballast"

    def fill(self) -> None:
        with open(self.path, "ab", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(PAGE))
                except OSError:
                    return

    def drop(self) -> None:
        self.path.unlink()


def produce(broker: Broker, topic: str, values: list[str]) -> list[KafkaError | None]:
    """Produces without retrying; the outcome of each."""
    outcomes: list[KafkaError | None] = []
    client = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "message.send.max.retries": 0,
            "linger.ms": 0,
            "batch.num.messages": 1,
        }
    )
    for value in values:
        client.produce(topic, value, "k", partition=0, on_delivery=lambda error, _: outcomes.append(error))
        assert client.flush(20) == 0
    return outcomes


def read(broker: Broker, topic: str) -> list[str]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "none", "check.crcs": True})
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), 10)
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    found: list[str] = []
    while len(found) < end:
        found += [(message.value() or b"").decode() for message in consumer.consume(end - len(found), 10)]
    consumer.close()
    return found


def commit(broker: Broker, offset: int) -> KafkaError | None:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "g"})
    try:
        (done,) = consumer.commit(offsets=[TopicPartition("t", 0, offset)], asynchronous=False)
        return done.error
    except KafkaException as error:
        return error.args[0]
    finally:
        consumer.close()


def committed(broker: Broker) -> int:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "g"})
    (found,) = consumer.committed([TopicPartition("t", 0)], 10)
    consumer.close()
    return found.offset


@pytest.mark.parametrize("fsync", ["never", "always"])
@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_full_disk_refuses_and_goes_on_when_there_is_room(
    small: Path, fsync: Literal["never", "always"], end: str
) -> None:
    """Records, a group's offsets, segments that have to be rolled, topics: each is refused and works again."""
    ballast = Ballast(small)
    broker = Broker(data=small / "data", fsync=fsync, topic_defaults={"segment.bytes": "20000"})
    with broker:
        assert produce(broker, "t", ["before"]) == [None]
        assert commit(broker, 1) is None
        ballast.fill()
        values = [f"{number}:{'x' * 3_000}" for number in range(12)]
        outcomes = produce(broker, "t", values)
        assert outcomes[-1] is not None
        assert {error.code() for error in outcomes if error is not None} == {KafkaError.KAFKA_STORAGE_ERROR}
        expected = ["before"] + [value for value, error in zip(values, outcomes) if error is None]
        refused = commit(broker, 2)
        offsets = {1} if refused is None else {1, 2}
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        with pytest.raises(KafkaException) as failure:
            admin.create_topics([NewTopic("new", 1)])["new"].result(10)
        assert failure.value.args[0].code() == KafkaError.KAFKA_STORAGE_ERROR
        assert read(broker, "t") == expected
        if end == "killed":
            broker.kill()
        else:
            broker.shut_down()
        ballast.drop()
        broker.start()
        assert read(broker, "t") == expected
        assert committed(broker) in offsets | {1, 2}
        assert produce(broker, "t", ["after"] * 10) == [None] * 10
        assert commit(broker, 3) is None
        assert committed(broker) == 3
        assert produce(broker, "new", ["v"]) == [None]
        assert read(broker, "t") == expected + ["after"] * 10
    with Verification(small / "data") as verification:
        findings = [finding for report in verification.partitions() for finding in report.findings]
        assert findings == []


def test_broker_that_is_full_goes_on_without_a_restart(small: Path) -> None:
    ballast = Ballast(small)
    with Broker(data=small / "data", topic_defaults={"segment.bytes": "20000"}) as broker:
        assert produce(broker, "t", ["before"]) == [None]
        assert commit(broker, 1) is None
        expected = ["before"]
        for round in range(3):
            ballast.fill()
            values = [f"{round}-{number}:{'x' * 3_000}" for number in range(8)]
            outcomes = produce(broker, "t", values)
            assert outcomes[-1] is not None
            expected += [value for value, error in zip(values, outcomes) if error is None]
            ballast.drop()
            assert produce(broker, "t", [f"{round}"]) == [None]
            assert commit(broker, 10 + round) is None
            expected.append(f"{round}")
            assert read(broker, "t") == expected
        assert committed(broker) == 12
