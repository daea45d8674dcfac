"""What a log is after a crash: every whole batch up to the first bad one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.broker.log.partitions import batch, open_partition, read_all

SMALL = {"segment_bytes": "400", "index_interval_bytes": "100"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 20 batches in several segments whose broker was killed."""
    directory = tmp_path_factory.mktemp("written")
    log = open_partition(directory, **SMALL)
    for number in range(20):
        log.append(batch(f"v{number}", producer=(7, 0, number)))
    assert len(log.segments) > 2
    log.release()
    return directory


def copy(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("copy") / "log"
    shutil.copytree(written, directory)
    return directory


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 399), tail=st.binary(max_size=80))
def test_recovery_of_a_torn_tail_keeps_the_whole_batches_before_it(
    written: Path, tmp_path_factory: pytest.TempPathFactory, cut: int, tail: bytes
) -> None:
    """The last segment is cut anywhere and other bytes follow: a prefix of the log is left and can be written to."""
    directory = copy(written, tmp_path_factory)
    last = max(directory.glob("*.log"))
    content = last.read_bytes()
    base = int(last.stem)
    cut = min(cut, len(content))
    last.write_bytes(content[:cut] + tail)
    log = open_partition(directory, **SMALL)
    kept = read_all(log)
    whole = base + cut // (len(content) // (20 - base))
    assert kept[:whole] == [(number, f"v{number}") for number in range(whole)][: len(kept)]
    assert len(kept) >= whole
    assert log.append(batch("new", producer=(7, 0, log.end_offset)))[0] == len(kept)
    log.release()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_recovery_after_a_flipped_bit_ends_before_the_damage(
    written: Path, tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    directory = copy(written, tmp_path_factory)
    last = max(directory.glob("*.log"))
    content = bytearray(last.read_bytes())
    position %= len(content)
    content[position] ^= 1 << bit
    last.write_bytes(content)
    log = open_partition(directory, **SMALL)
    size = len(content) // (20 - int(last.stem))
    start = position - position % size
    assert log.end_offset == int(last.stem) + start // size
    assert read_all(log) == [(number, f"v{number}") for number in range(log.end_offset)]
    log.release()


def test_recovery_without_indexes_scans_every_segment(written: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = copy(written, tmp_path_factory)
    for path in (*directory.glob("*.index"), *directory.glob("*.timeindex"), *directory.glob("*.snapshot")):
        path.unlink()
    log = open_partition(directory, **SMALL)
    assert read_all(log) == [(number, f"v{number}") for number in range(20)]
    assert log.append(batch("v19", producer=(7, 0, 19))) == (19, -1)
    log.release()


def test_recovery_of_a_damaged_middle_drops_what_follows(
    written: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A hole in the log would be worse than a shorter log."""
    directory = copy(written, tmp_path_factory)
    second = sorted(directory.glob("*.log"))[1]
    second.with_suffix(".index").unlink()
    content = second.read_bytes()
    second.write_bytes(content[: len(content) - 10])
    log = open_partition(directory, **SMALL)
    assert read_all(log) == [(number, f"v{number}") for number in range(log.end_offset)]
    assert int(second.stem) < log.end_offset < 19
    assert max(directory.glob("*.log")) == second
    log.release()


def test_reopening_after_a_clean_close_does_not_read_the_batches(tmp_path: Path) -> None:
    """Damage that a scan would find is not looked for: the marker and the indexes vouch for the file."""
    log = open_partition(tmp_path, index_interval_bytes="100")
    for number in range(20):
        log.append(batch(f"v{number}"))
    log.close(sync=False)
    path = tmp_path / "00000000000000000000.log"
    content = bytearray(path.read_bytes())
    content[70] ^= 0xFF
    path.write_bytes(content)
    assert open_partition(tmp_path, trusted=True).end_offset == 20
    assert open_partition(tmp_path, trusted=False).end_offset == 0
