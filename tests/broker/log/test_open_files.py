"""Few files are open at once, however many segments are used."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from broker.log.directory import LogDirectory
from broker.log.open_files import OpenFiles
from broker.log.segment import Segment
from broker.topics.catalogue import TopicCatalogue
from tests.broker.log.partitions import NOW, batch, read_all


def open_below(path: Path) -> int:
    """How many files of a directory this process has open."""
    opened = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # another test's thread has closed it meanwhile
            opened += os.readlink(f"/proc/self/fd/{name}").startswith(str(path))
    return opened


def test_first_opened_is_closed_and_comes_back_when_it_is_used(tmp_path: Path) -> None:
    files = OpenFiles(2)
    segments = [Segment(tmp_path, number, files) for number in range(4)]
    for segment in segments:
        content = batch("a")
        segment.append(content, len(content), segment.base_offset, segment.base_offset, NOW, 4096)
    assert [segment.descriptor >= 0 for segment in segments] == [False, False, True, True]
    assert segments[0].read(0, 10) == bytes(batch("a"))[:10]
    assert [segment.descriptor >= 0 for segment in segments] == [True, False, False, True]
    for segment in segments:
        segment.close()
    assert files.segments == {}


def test_file_that_cannot_be_opened_is_not_counted(tmp_path: Path) -> None:
    files = OpenFiles(1)
    segment = Segment(tmp_path / "missing", 0, files)
    for _ in range(3):
        try:
            segment.open()
        except FileNotFoundError:
            continue
    assert files.segments == {}


def test_broker_with_more_partitions_than_files_writes_and_reads_all(tmp_path: Path) -> None:
    """And opens none of them for the next start that they do not need."""
    path = tmp_path / "logs"
    for trusted in (True, False, True):
        path.mkdir(exist_ok=True)
        logs = LogDirectory(path, durable=False, clock=lambda: NOW)
        logs.files.limit = 10
        catalogue = TopicCatalogue(tmp_path / "topics", defaults={}, durable=False)
        catalogue.load()
        configs = {"segment.bytes": "150"}
        topic = catalogue.get("t") or catalogue.create("t", 40, configs, internal=False, validate_only=False)
        logs.open(topic, trusted=trusted)
        assert open_below(path) <= 10
        for number in range(3):
            for log in logs:
                log.append(batch(f"v{log.end_offset}-{number}"))
        for log in logs:
            assert len(read_all(log)) == log.end_offset
            assert open_below(path) <= 10
        logs.close(sync=False)
        assert open_below(path) == 0
