"""A cleaned segment takes the place of others: all at once, whenever the broker dies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.log.partition import PartitionLog
from broker.log.search import offset_for_timestamp
from broker.protocol.batches import encode_batch
from tests.broker.compaction.passes import LocalWorker, compact, read_all, read_from
from tests.broker.log.partitions import NOW, open_partition

CONFIGS = {
    "cleanup_policy": "compact",
    "min_cleanable_dirty_ratio": "0",
    "segment_bytes": "400",
    "index_interval_bytes": "0",
}
FILE_OPERATIONS = ("rename", "replace", "unlink", "rmdir")


class Crash(BaseException):
    """The process is gone here."""


@contextmanager
def dying_at(operation: int) -> Iterator[None]:
    """The n-th change of a name in the file system does not happen, nor anything after it."""
    left = operation

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in FILE_OPERATIONS:
            patch.setattr(os, name, dying(getattr(os, name)))
        yield


def write(directory: Path) -> PartitionLog:
    """Five sealed segments that become one, small enough to be put together; timestamps go down."""
    log = open_partition(directory, **CONFIGS)
    for number in range(15):
        log.append(encode_batch([(f"k{number % 2}".encode(), f"v{number}".encode())], NOW - number))
        if number % 3 == 2:
            log.roll()
    log.append(encode_batch([(b"x", b"y")], NOW))
    return log


def check(log: PartitionLog, states: list[list[Any]]) -> int:
    """The log is in one of the states, and its indexes say so too; returns which."""
    found = read_all(log)
    assert found in states
    for offset in range(log.high_watermark + 1):
        assert read_from(log, offset, max_bytes=1) == [one for one in found if one.offset >= offset]
    for time in {one.timestamp for one in found}:
        first = next(one for one in found if one.timestamp >= time)
        assert offset_for_timestamp(log, time) == (first.offset, first.timestamp)
    return states.index(found)


def states_of(directory: Path) -> list[list[Any]]:
    """What the log is before the pass, after its first group, and so on, until it is over."""
    log = write(directory)
    states = [read_all(log)]

    class Watching(LocalWorker):
        def proceed(self) -> Any:
            states.append(read_all(log))
            return super().proceed()

    compact(log, worker=Watching())
    log.release()
    return [state for number, state in enumerate(states) if state not in states[:number]]


def test_crash_anywhere_in_the_swap_leaves_the_old_or_the_cleaned_segments(tmp_path: Path) -> None:
    """Also when the restart that finishes the swap dies, at any point again. With syncs: without them there are fewer
    points."""
    states = states_of(tmp_path / "whole")
    assert len(states) >= 3
    reached: set[int] = set()
    operation = 0
    crashed = True
    while crashed:
        directory = tmp_path / f"{operation}"
        log = write(directory)
        log.durable = True
        log.commit(log.pending())
        crashed = False
        try:
            with dying_at(operation):
                compact(log)
        except Crash:
            crashed = True
        log.release()
        recovery = 0
        dying = True
        while dying:
            again = tmp_path / f"{operation}-{recovery}"
            shutil.copytree(directory, again)
            dying = False
            try:
                with dying_at(recovery):
                    open_partition(again, **CONFIGS).release()
            except Crash:
                dying = True
            log = open_partition(again, trusted=not recovery % 2, **CONFIGS)
            reached.add(check(log, states))
            assert [path for path in again.iterdir() if path.suffix == ".swap" or path.is_dir()] == []
            compact(log)
            check(log, states[-1:])
            log.release()
            recovery += 1
        operation += 1
    assert reached == set(range(len(states)))
    assert operation > 15


def test_failure_in_the_midst_of_a_swap_closes_the_partition_and_the_next_start_finishes(tmp_path: Path) -> None:
    """What the disk holds then is between two states, so nothing more is written."""
    log = write(tmp_path)
    expected = read_all(log)
    with pytest.MonkeyPatch.context() as patch:
        real = os.replace

        def replace(source: Any, target: Any) -> None:
            if str(source).endswith(".swap"):
                raise OSError(28, "No space left on device")
            real(source, target)

        patch.setattr(os, "replace", replace)
        compact(log)
        assert log.failed is not None
        with pytest.raises(OSError, match="No space left"):
            log.append(encode_batch([(b"x", b"z")], NOW))
    log.release()
    log = open_partition(tmp_path, **CONFIGS)
    assert check(log, [[one for one in expected if one in read_all(log)]]) == 0
    assert log.append(encode_batch([(b"x", b"z")], NOW)) == (16, -1)


def test_pass_over_segments_that_were_removed_meanwhile_changes_nothing(tmp_path: Path) -> None:
    """Retention, DeleteRecords or the deletion of the topic came first."""
    log = write(tmp_path / "t-0")
    log.config = open_partition(tmp_path / "other", **{**CONFIGS, "cleanup_policy": "compact,delete"}).config

    class Slow(LocalWorker):
        def begin(self, cleaning: Any) -> Any:
            step = super().begin(cleaning)
            log.delete_before(7)
            return step

    worker = Slow()
    compact(log, worker=worker)
    assert len(worker.cleanings) == 1
    assert (log.start_offset, log.segments[0].base_offset) == (7, 6)
    assert [one.offset for one in read_all(log)] == list(range(7, 16))
    compact(log)
    assert [one.offset for one in read_all(log)] == [13, 14, 15]


def test_pass_over_a_deleted_partition_ends_quietly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = write(tmp_path / "t-0")

    class Slow(LocalWorker):
        def begin(self, cleaning: Any) -> Any:
            step = super().begin(cleaning)
            log.release()
            (tmp_path / "t-0").rename(tmp_path / "gone")
            shutil.rmtree(tmp_path / "gone")
            return step

    compact(log, worker=Slow())
    assert list(tmp_path.iterdir()) == []
    assert caplog.records == []


def test_damaged_batch_stops_compaction_of_its_log_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Reading the rest of it would drop records; the other logs are cleaned."""
    damaged, other = write(tmp_path / "t-0"), write(tmp_path / "t-1")
    before = read_all(damaged)
    path = tmp_path / "t-0" / "00000000000000000003.log"
    content = bytearray(path.read_bytes())
    content[61] = 0x7F  # the first record's length
    path.write_bytes(content)
    cleaner = compact(damaged, other)
    assert damaged in cleaner.uncleanable
    assert "not compacted any more until the broker is restarted" in caplog.text
    assert len(read_all(other)) == 3
    assert sorted(one.name for one in (tmp_path / "t-0").glob("*.log")) == [
        f"{base:020}.log" for base in (0, 3, 6, 9, 12, 15)
    ]
    assert read_from(damaged, 6) == before[6:]
