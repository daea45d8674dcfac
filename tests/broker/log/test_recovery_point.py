"""After the death of the broker's process a log is scanned from its recovery point on, and from no further back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.log import partition, recovery_point
from broker.log.partition import PartitionLog
from broker.log.recovery_point import FILE_NAME
from broker.log.search import offset_for_timestamp
from broker.protocol.batches import TRANSACTIONAL, encode_batch
from broker.protocol.control import marker_batch
from tests.broker.log.partitions import NOW, batch, open_partition, read_all

CONFIGS = {"segment_bytes": "3000", "index_interval_bytes": "100"}


@pytest.fixture(autouse=True)
def interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point every 500 bytes."""
    monkeypatch.setattr(partition, "INTERVAL_BYTES", 500)


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the system names its boot."""
    path = tmp_path / "boot_id"
    path.write_text("one\n")
    monkeypatch.setattr(recovery_point, "BOOT_ID", path)
    return path


def write(log: PartitionLog, start: int, count: int) -> None:
    for number in range(start, start + count):
        log.append(batch(f"v{number}", timestamp=NOW - number % 7, producer=(7, 0, number)))


def point_of(directory: Path) -> dict[str, int]:
    return json.loads((directory / FILE_NAME).read_bytes())


def damage(directory: Path, position: int) -> None:
    """Flips bits of the active segment's file."""
    path = max(directory.glob("*.log"))
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)


def test_scan_begins_at_the_recovery_point(tmp_path: Path, boot: Path) -> None:
    """What lies before it is not looked at: damage there is not found, damage behind it is."""
    directory = tmp_path / "log"
    log = open_partition(directory, **CONFIGS)
    write(log, 0, 20)
    log.release()
    point = point_of(directory)
    assert 500 <= point["position"] < log.active.size
    damage(directory, point["position"] - 10)
    log = open_partition(directory, **CONFIGS)
    assert log.end_offset == 20
    log.release()
    damage(directory, point["position"] + 70)
    log = open_partition(directory, **CONFIGS)
    assert log.end_offset == point["offset"]
    log.release()


@pytest.mark.parametrize("name", ["two\n", ""])
def test_recovery_point_of_another_boot_does_not_count(tmp_path: Path, boot: Path, name: str) -> None:
    """What was in the page cache then may be lost."""
    directory = tmp_path / "log"
    boot.write_text(name and "one\n")
    log = open_partition(directory, **CONFIGS)
    write(log, 0, 20)
    log.release()
    damage(directory, 70)
    boot.write_text(name)
    assert open_partition(directory, **CONFIGS).end_offset == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"boot": "one"}', b'{"boot": "one", "base": "x"}'])
def test_damaged_recovery_point_does_not_count(tmp_path: Path, boot: Path, content: bytes) -> None:
    directory = tmp_path / "log"
    log = open_partition(directory, **CONFIGS)
    write(log, 0, 20)
    log.release()
    (directory / FILE_NAME).write_bytes(content)
    assert read_all(open_partition(directory, **CONFIGS)) == [(number, f"v{number}") for number in range(20)]


def test_recovery_point_beyond_the_file_does_not_count(tmp_path: Path, boot: Path) -> None:
    directory = tmp_path / "log"
    log = open_partition(directory, **CONFIGS)
    write(log, 0, 20)
    log.release()
    path = max(directory.glob("*.log"))
    path.write_bytes(path.read_bytes()[:300])
    log = open_partition(directory, **CONFIGS)
    assert 0 < log.end_offset < 5
    write(log, log.end_offset, 3)


def test_failure_to_save_a_recovery_point_does_not_fail_the_append(
    tmp_path: Path, boot: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recovery_point, "write_fields", full)
    log = open_partition(tmp_path / "log", **CONFIGS)
    write(log, 0, 20)
    assert log.end_offset == 20
    assert 1 <= len(caplog.records) < 5, "once for each interval"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    ends=st.lists(st.sampled_from(["killed", "closed", "closed, not trusted", "rebooted"]), min_size=8, max_size=8),
    cut=st.integers(0, 400),
)
def test_whatever_the_ends_before_the_log_goes_on_as_one(
    tmp_path_factory: pytest.TempPathFactory, boot: Path, counts: list[int], ends: list[str], cut: int
) -> None:
    """Records, indexes and producers are the same whichever part of it was scanned; at last the tail is torn."""
    directory = tmp_path_factory.mktemp("log")
    log = open_partition(directory, **CONFIGS)
    total = 0
    for boots, (count, end) in enumerate(zip(counts, ends)):
        write(log, total, count)
        total += count
        if end.startswith("closed"):
            log.close(sync=False)
        else:
            log.release()
        if end == "rebooted":
            boot.write_text(f"boot {boots}\n")
        log = open_partition(directory, trusted=end == "closed", **CONFIGS)
        assert read_all(log) == [(number, f"v{number}") for number in range(total)]
        for time in range(NOW - 7, NOW + 1):
            expected = next(((number, NOW - number % 7) for number in range(total) if NOW - number % 7 >= time), None)
            assert offset_for_timestamp(log, time) == expected
        assert log.append(batch(f"v{total - 1}", producer=(7, 0, total - 1))) == (total - 1, -1)
    log.release()
    path = max(directory.glob("*.log"))
    point = point_of(directory) if (directory / FILE_NAME).exists() else {"base": -1, "position": 0}
    known = point["position"] if point["base"] == int(path.stem) else 0
    content = path.read_bytes()
    path.write_bytes(content[: max(known, len(content) - cut)])
    log = open_partition(directory, **CONFIGS)
    assert read_all(log) == [(number, f"v{number}") for number in range(log.end_offset)]
    write(log, log.end_offset, 5)
    log.release()


@pytest.mark.parametrize("reboot", [False, True])
def test_transactions_are_known_whichever_part_was_scanned(tmp_path: Path, boot: Path, *, reboot: bool) -> None:
    """Aborted ones before and behind the recovery point, and one that is open across it."""
    directory = tmp_path / "log"
    log = open_partition(directory, segment_bytes="1000000")
    sequences = [0, 0]

    def put(producer_id: int) -> None:
        content = encode_batch(
            [(b"k", b"v" * 50)], NOW, attributes=TRANSACTIONAL, producer_id=producer_id, producer_epoch=0,
            base_sequence=sequences[producer_id],
        )  # fmt: skip
        sequences[producer_id] += 1
        log.append(content, transactional=True)

    put(1)
    expected: list[tuple[int, int, int]] = []
    for _ in range(15):
        first = log.end_offset
        put(0)
        put(0)
        expected.append((0, first, log.end_offset))
        log.append_marker(marker_batch(0, 0, commit=False, timestamp_ms=NOW))
    log.release()
    assert 0 < point_of(directory)["offset"] < log.end_offset
    if reboot:
        boot.write_text("two")
    log = open_partition(directory, segment_bytes="1000000")
    assert [entry[:3] for entry in log.aborted.entries] == expected
    assert {producer: one.first_offset for producer, one in log.producers.open.items()} == {1: 0}
    assert log.stable.offset == 0
    put(0)
    put(1)
    log.release()
