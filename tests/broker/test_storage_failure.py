"""A full or failing disk: the produce is refused, nothing acknowledged is lost, reading goes on."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

from broker import Broker
from broker.log import reopening, segment
from broker.protocol.batches import Buffer


class Disk:
    """Stands in for writes to segment files; full from a moment on, after half of the batch."""

    def __init__(self) -> None:
        self.full = False

    def write_at(self, descriptor: int, data: Buffer, position: int) -> None:
        if self.full:
            os.pwrite(descriptor, bytes(data[: len(data) // 2]), position)
            raise OSError(errno.ENOSPC, "No space left on device")
        assert os.pwrite(descriptor, data, position) == len(data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    stand_in = Disk()
    monkeypatch.setattr(segment, "write_at", stand_in.write_at)
    return stand_in


def produce(broker: Broker, value: str, **settings: object) -> KafkaError | None:
    """Produces one record without retrying; returns the error."""
    outcome: list[KafkaError | None] = []
    client = Producer(
        {"bootstrap.servers": broker.bootstrap_servers, "message.send.max.retries": 0, "linger.ms": 0, **settings}
    )
    client.produce("t", value, on_delivery=lambda error, message: outcome.append(error))
    assert client.flush(10) == 0
    return outcome[0]


def read(broker: Broker, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "none", "check.crcs": True})
    assert consumer.get_watermark_offsets(TopicPartition("t", 0), 10) == (0, count)
    consumer.assign([TopicPartition("t", 0, OFFSET_BEGINNING)])
    found: list[bytes | None] = []
    while len(found) < count:
        found += [message.value() for message in consumer.consume(count - len(found), 10)]
    consumer.close()
    return found


def test_full_disk_refuses_the_produce_and_loses_nothing(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """One clear line; reads go on; when there is room again, so do writes; a restart finds the same."""
    with Broker(data=tmp_path / "data", in_process=True) as broker:
        assert produce(broker, "before") is None
        disk.full = True
        with caplog.at_level(logging.ERROR):
            error = produce(broker, "refused")
        assert error is not None
        assert error.code() == KafkaError.KAFKA_STORAGE_ERROR
        assert [record.getMessage() for record in caplog.records] == [
            "t-0: cannot append: [Errno 28] No space left on device; the produce was refused and the log is as it was"
        ]
        assert read(broker, 1) == [b"before"]
        disk.full = False
        assert produce(broker, "after") is None
        assert read(broker, 2) == [b"before", b"after"]
    log = next((tmp_path / "data" / "logs" / "t-0").glob("*.log"))
    before = log.stat().st_size
    with Broker(data=tmp_path / "data", in_process=True) as broker:
        assert read(broker, 2) == [b"before", b"after"]
        assert log.stat().st_size == before


def test_failed_fsync_refuses_the_produce_and_shows_it_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What reached the disk is unknown then: the partition takes no more writes, and is read up to what is known."""
    failing = False

    def sync(self: segment.Segment) -> None:
        if failing:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(segment.Segment, "sync", sync)
    with Broker(data=tmp_path / "data", fsync="always", in_process=True) as broker:
        assert produce(broker, "before") is None
        failing = True
        for value in ("refused", "too"):
            error = produce(broker, value)
            assert error is not None
            assert error.code() == KafkaError.KAFKA_STORAGE_ERROR
        assert "takes no writes until the storage does" in caplog.text
        assert read(broker, 1) == [b"before"]
    failing = False
    with Broker(data=tmp_path / "data", fsync="always", in_process=True) as broker:
        assert produce(broker, "after") is None
        assert read(broker, 3)[0] == b"before"


def test_partition_takes_writes_again_when_fsync_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without what failed: nobody was told that it is safe. A producer that tries again is in sequence, and a consumer
    that waits goes on."""
    failing = False
    real = segment.Segment.sync

    def sync(self: segment.Segment) -> None:
        if failing:
            raise OSError(errno.EIO, "Input/output error")
        real(self)

    monkeypatch.setattr(segment.Segment, "sync", sync)
    monkeypatch.setattr(reopening, "FIRST_DELAY_S", 0.01)
    with Broker(data=tmp_path / "data", fsync="always", in_process=True) as broker:
        patient = Producer({"bootstrap.servers": broker.bootstrap_servers, "enable.idempotence": True, "linger.ms": 0})
        patient.produce("t", "before")
        assert patient.flush(10) == 0
        waiting = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "none", "check.crcs": True})
        waiting.assign([TopicPartition("t", 0, 1)])
        assert waiting.poll(0.1) is None
        failing = True
        error = produce(broker, "refused")
        assert error is not None
        assert error.code() == KafkaError.KAFKA_STORAGE_ERROR
        patient.produce("t", "again and again")
        assert patient.flush(0.3) == 1
        assert "the storage still fails" in caplog.text
        failing = False
        assert patient.flush(20) == 0
        assert read(broker, 2) == [b"before", b"again and again"]
        message = waiting.poll(10)
        assert message is not None
        assert message.value() == b"again and again"
        waiting.close()
        assert produce(broker, "after") is None
    with Broker(data=tmp_path / "data", fsync="always", in_process=True) as broker:
        assert read(broker, 3) == [b"before", b"again and again", b"after"]


def test_group_commit_answers_many_produces_with_few_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = 0
    real = segment.Segment.sync

    def sync(self: segment.Segment) -> None:
        nonlocal syncs
        syncs += 1
        real(self)

    monkeypatch.setattr(segment.Segment, "sync", sync)
    with Broker(data=tmp_path / "data", fsync="always", in_process=True) as broker:
        producers = [
            Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 0, "batch.num.messages": 1})
            for _ in range(3)
        ]
        for number in range(300):
            producers[number % 3].produce("t", str(number))
        for one in producers:
            assert one.flush(20) == 0
        assert len(read(broker, 300)) == 300
    assert 0 < syncs < 250
