"""When a segment ends, and when it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from broker.log.retention import retain
from broker.topics.config import TopicConfig
from tests.broker.log.partitions import NOW, batch, open_partition

DAY = 86_400_000


def test_records_without_timestamps_roll_by_the_clock(tmp_path: Path) -> None:
    """As in Kafka; those with timestamps by these alone, and neither while nothing is written."""
    now = [NOW]
    log = open_partition(tmp_path, segment_ms="1000", segment_bytes="200")
    log.clock = lambda: now[0]
    log.append(batch("a" * 90, timestamp=-1))
    log.append(batch("b" * 90, timestamp=-1))
    assert len(log.segments) == 2, "by size"
    now[0] += 1_001
    log.append(batch("c", timestamp=-1))
    assert len(log.segments) == 3


def test_jitter_shortens_the_time_of_each_segment_by_another_part(tmp_path: Path) -> None:
    ages: set[int] = set()
    for number in range(8):
        log = open_partition(tmp_path / str(number), segment_ms="1000", segment_jitter_ms="500")
        log.topic = f"topic-{number}"
        log.append(batch("a"))
        age = next(
            age for age in range(1_002) if age > log.config.least_segment_ms and log.outlasted(log.active, NOW + age)
        )
        assert 500 < age <= 1_001
        ages.add(age)
        log.append(batch("b", timestamp=NOW + age))
        assert len(log.segments) == 2
        log.release()
    assert len(ages) > 4


def test_expired_active_segment_is_rolled_and_goes(tmp_path: Path) -> None:
    log = open_partition(tmp_path, retention_ms="1000")
    log.append(batch("a"))
    assert retain(log, NOW + 1_000) == 0
    assert retain(log, NOW + 1_001) == 1
    assert (log.start_offset, log.end_offset, len(log.segments)) == (1, 1, 1)
    assert retain(log, NOW + 2 * DAY) == 0, "an empty one stays"
    assert log.append(batch("b"))[0] == 1


def test_timestamp_in_the_future_holds_what_is_behind_it(tmp_path: Path) -> None:
    """Segments go from the front only, as in Kafka; size is a limit all the same."""
    log = open_partition(
        tmp_path, retention_ms="1000", segment_bytes="100", message_timestamp_after_max_ms=str(400 * DAY)
    )
    log.append(batch("future", timestamp=NOW + 365 * DAY))
    for value in "abc":
        log.append(batch(value))
    assert retain(log, NOW + DAY) == 0
    log.config = replace(log.config, retention_bytes=200)
    assert retain(log, NOW + DAY) == 1
    assert retain(log, NOW + DAY) == 3, "the next time they have nothing before them"
    assert log.end_offset == 4


def test_changed_configs_hold_from_the_next_record_on(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(batch("a"))
    log.config = TopicConfig.parse({"segment.bytes": "100", "max.message.bytes": "100000"})
    log.append(batch("b"))
    assert len(log.segments) == 2
