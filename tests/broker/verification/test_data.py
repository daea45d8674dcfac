"""A whole data directory, looked through at rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from broker import Broker
from broker.data_directory import DataDirectory
from broker.errors import DataDirectoryError, DataDirectoryLockedError
from broker.verification.data import Verification
from tests.broker.verification.directories import flip, truncate


def used(path: Path) -> Path:
    """A data directory with a topic, a group's offsets and a transaction, after a clean shutdown."""
    with Broker(data=path) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "x"})
        producer.init_transactions(10)
        producer.begin_transaction()
        for number in range(100):
            producer.produce("t", str(number))
        producer.commit_transaction(10)
        consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "g"})
        consumer.commit(offsets=[TopicPartition("t", 0, 50)], asynchronous=False)
        consumer.close()
    return path


def findings(path: Path) -> list[tuple[str, str]]:
    """(severity, file's name) of each finding."""
    with Verification(path) as verification:
        found = [*verification.broker_files()]
        for report in verification.partitions():
            found += report.findings
    return [(finding.severity, finding.path.name) for finding in found]


def test_sound_directory_has_no_findings_and_is_left_as_it_was(tmp_path: Path) -> None:
    data = used(tmp_path / "data")
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.name != "lock"}
    assert findings(data) == []
    assert before == {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.name != "lock"}


def test_directory_of_a_killed_broker_has_nothing_but_notes(tmp_path: Path) -> None:
    with Broker(data=tmp_path / "data") as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce("t", "v")
        assert producer.flush(10) == 0
        broker.kill()
        assert {severity for severity, _ in findings(tmp_path / "data")} <= {"note"}


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("topics/t.json", "lost"),
        ("producer-ids", "lost"),
        ("logs/t-0/00000000000000000000.log", "lost"),
        ("logs/t-0/00000000000000000000.index", "rebuilt"),
        ("logs/t-0/leader-epochs", "rebuilt"),
    ],
)
def test_damage_of_each_kind_is_found(tmp_path: Path, name: str, severity: str) -> None:
    data = used(tmp_path / "data")
    path = data / name
    flip(path, path.stat().st_size // 2, 1)
    assert (severity, path.name) in findings(data)
    if name != "producer-ids":  # that one is not used before its end is known
        truncate(path, path.stat().st_size - 1)
        assert (severity, path.name) in findings(data)


def test_directory_in_use_is_refused(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "data")
    data.open()
    with pytest.raises(DataDirectoryLockedError, match="in use"):
        Verification(tmp_path / "data")
    data.release()


def test_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryError, match="not a data directory"):
        Verification(tmp_path)


@pytest.mark.parametrize("topic", ["__consumer_offsets", "__transaction_state", "t"])
def test_broker_starts_and_goes_on_whatever_is_damaged_in_a_log(tmp_path: Path, topic: str) -> None:
    """Damage in one log, below the recovery point, is no reason for the others to be down."""
    data = used(tmp_path / "data")
    path = max(data.glob(f"logs/{topic}-*/*.log"), key=lambda one: one.stat().st_size)
    content = bytearray(path.read_bytes())
    for position in range(0, len(content), 40):
        content[position] ^= 0x55
    path.write_bytes(content)
    with Broker(data=data) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "y"})
        producer.init_transactions(10)
        producer.begin_transaction()
        producer.produce("other", "v")
        producer.commit_transaction(10)
        consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "h"})
        consumer.commit(offsets=[TopicPartition("other", 0, 1)], asynchronous=False)
        (committed,) = consumer.committed([TopicPartition("other", 0)], 10)
        assert committed.offset == 1
        consumer.close()
    assert ("lost", path.name) in findings(data)
