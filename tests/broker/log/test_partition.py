"""Appending to and reading from a partition's log."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.log.retention import retain
from broker.log.search import offset_for_timestamp, offset_of_max_timestamp
from broker.protocol.batches import checksum, checksum_struct, encode_batch, header_struct
from tests.broker.log.partitions import NOW, batch, open_partition, read_all


def test_append_assigns_offsets_in_order(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    assert log.append(batch("a", "b")) == (0, -1)
    assert log.append(batch("c")) == (2, -1)
    assert (log.start_offset, log.high_watermark) == (0, 3)
    assert read_all(log) == [(0, "a"), (1, "b"), (2, "c")]


def test_read_in_the_midst_of_a_batch_returns_it_whole(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(batch("a", "b", "c"))
    assert log.reader.read(2, 1_000, at_least_one=True) == log.reader.read(0, 1_000, at_least_one=True) != b""


def test_read_with_a_small_limit_returns_the_first_batch_only_if_asked_to(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(batch("a"))
    log.append(batch("b"))
    assert log.reader.read(0, 1, at_least_one=False) == b""
    assert read_all(log, max_bytes=1) == [(0, "a"), (1, "b")]


def test_read_at_the_end_returns_nothing(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    assert log.reader.read(0, 1_000, at_least_one=True) == b""
    log.append(batch("a"))
    assert log.reader.read(1, 1_000, at_least_one=True) == b""


def test_read_at_the_old_end_after_a_roll_starts_with_the_new_segment(tmp_path: Path) -> None:
    """The position a reader stopped at belongs to the segment that was active then."""
    log = open_partition(tmp_path)
    log.append(batch("a"))
    assert read_all(log) == [(0, "a")]
    log.roll()
    for value in "bcd":
        log.append(batch(value))
    assert read_all(log) == [(0, "a"), (1, "b"), (2, "c"), (3, "d")]
    first = log.reader.read(1, 1_000, at_least_one=True)
    assert header_struct.unpack_from(first)[0] == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=40),
    segment_bytes=st.integers(14, 2_000),
    max_bytes=st.integers(1, 3_000),
    interval=st.integers(0, 400),
    reads=st.lists(st.integers(0, 40), max_size=10),
)
def test_whatever_the_sizes_readers_see_every_record_once_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    counts: list[int],
    segment_bytes: int,
    max_bytes: int,
    interval: int,
    reads: list[int],
) -> None:
    directory = tmp_path_factory.mktemp("log")
    configs = {"segment_bytes": str(segment_bytes), "index_interval_bytes": str(interval)}
    log = open_partition(directory, **configs)
    expected: list[tuple[int, str]] = []
    for number, count in enumerate(counts):
        values = [f"{number}-{index}" for index in range(count)]
        offset, _ = log.append(batch(*values))
        expected += [(offset + index, value) for index, value in enumerate(values)]
        if number in reads:  # readers in between leave their positions behind
            assert read_all(log, max_bytes=max_bytes) == expected
    assert read_all(log, max_bytes=max_bytes) == expected
    for trusted in (True, False):
        log.close(sync=False)
        log = open_partition(directory, trusted=trusted, **configs)
        assert read_all(log, max_bytes=max_bytes) == expected
    log.release()


def test_append_rolls_by_size(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="200")
    for value in "abcdefgh":
        log.append(batch(value))
    assert len(log.segments) > 2
    assert read_all(log) == list(enumerate("abcdefgh"))


def test_append_rolls_by_the_records_time(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_ms="1000")
    for seconds in (0, 1, 3):
        log.append(batch(str(seconds), timestamp=NOW - 10_000 + seconds * 1_000))
    assert [segment.base_offset for segment in log.segments] == [0, 2]


# -- checks ------------------------------------------------------------------------------------------------------------
def damaged(position: int) -> bytearray:
    content = batch("a")
    content[position] ^= 0xFF
    return content


def with_header(**changes: int) -> bytearray:
    """A batch whose header lies, with a checksum that holds."""
    content = batch("a", "b")
    names = [
        "base_offset",
        "length",
        "epoch",
        "magic",
        "crc",
        "attributes",
        "last_delta",
        "base_timestamp",
        "max_timestamp",
        "producer_id",
        "producer_epoch",
        "base_sequence",
        "count",
    ]
    values = dict(zip(names, header_struct.unpack_from(content))) | changes
    header_struct.pack_into(content, 0, *values.values())
    checksum_struct.pack_into(content, 17, checksum(content))
    return content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bytearray(10), ErrorCode.invalid_record),
        (damaged(65), ErrorCode.corrupt_message),
        (damaged(17), ErrorCode.corrupt_message),
        (with_header(magic=1), ErrorCode.invalid_record),
        (with_header(magic=3), ErrorCode.corrupt_message),
        (with_header(length=10_000), ErrorCode.invalid_record),
        (with_header(length=13), ErrorCode.corrupt_message),
        (with_header(length=40), ErrorCode.corrupt_message),
        (batch("a") + batch("b"), ErrorCode.invalid_record),
        (with_header(base_offset=5), ErrorCode.invalid_record),
        (with_header(count=3), ErrorCode.invalid_record),
        (with_header(count=0, last_delta=-1), ErrorCode.invalid_record),
        (with_header(count=-2, last_delta=-3), ErrorCode.invalid_record),
        (with_header(attributes=0x20), ErrorCode.invalid_record),
        (with_header(attributes=0x10), ErrorCode.transactional_id_authorization_failed),
        (with_header(attributes=5), ErrorCode.unsupported_compression_type),
        (with_header(producer_id=7, producer_epoch=0), ErrorCode.invalid_record),
        (with_header(max_timestamp=NOW + 4_000_000), ErrorCode.invalid_timestamp),
        (batch("x" * 2_000_000), ErrorCode.message_too_large),
    ],
)
def test_append_refuses_what_breaks_a_rule(tmp_path: Path, content: bytearray, code: ErrorCode) -> None:
    """Nothing is written, and the log goes on."""
    log = open_partition(tmp_path)
    with pytest.raises(AppendRefused) as refused:
        log.append(content)
    assert refused.value.code is code
    assert log.append(batch("ok")) == (0, -1)


def test_append_to_a_compacted_topic_names_the_records_without_key(tmp_path: Path) -> None:
    log = open_partition(tmp_path, cleanup_policy="compact")
    log.append(encode_batch([(b"k", None)], NOW))
    with pytest.raises(AppendRefused) as refused:
        log.append(encode_batch([(b"k", b"v"), (None, b"v")], NOW))
    assert refused.value.code is ErrorCode.invalid_record
    assert [index for index, _ in refused.value.record_errors] == [1]


@pytest.mark.parametrize("policy", ["compact", "delete"])
def test_append_names_the_records_whose_time_is_out_of_range(tmp_path: Path, policy: str) -> None:
    log = open_partition(tmp_path, cleanup_policy=policy, message_timestamp_before_max_ms="1000")
    log.append(batch("a", timestamp=NOW - 1_000))
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("a", "b", timestamp=NOW - 1_001))
    assert refused.value.code is ErrorCode.invalid_timestamp
    assert [index for index, _ in refused.value.record_errors] == [0, 1]
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("a", timestamp=NOW + 4_000_000))
    assert refused.value.code is ErrorCode.invalid_timestamp


def test_append_with_log_append_time_stamps_the_batch(tmp_path: Path) -> None:
    log = open_partition(tmp_path, message_timestamp_type="LogAppendTime")
    assert log.append(batch("a", timestamp=5)) == (0, NOW)
    assert offset_for_timestamp(log, NOW) == (0, NOW)
    assert offset_for_timestamp(log, NOW + 1) is None


# -- search ------------------------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.integers(0, 50), min_size=1, max_size=60), segment_bytes=st.integers(100, 1_000))
def test_offset_for_timestamp_is_the_first_record_at_or_after_it(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], segment_bytes: int
) -> None:
    log = open_partition(tmp_path_factory.mktemp("log"), segment_bytes=str(segment_bytes), index_interval_bytes="100")
    for time in times:
        log.append(batch("v", timestamp=time))
    for time in range(52):
        expected = next(((offset, at) for offset, at in enumerate(times) if at >= time), None)
        assert offset_for_timestamp(log, time) == expected
    largest = max(times)
    assert offset_of_max_timestamp(log) == (times.index(largest), largest)
    log.release()


# -- retention ---------------------------------------------------------------------------------------------------------
def test_retention_by_time_drops_whole_segments_from_the_front(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="14", retention_ms="1000")
    for age in (3_000, 2_000, 500, 2_000):
        log.append(batch(str(age), timestamp=NOW - age))
    assert retain(log, NOW) == 2
    assert read_all(log) == [(2, "500"), (3, "2000")]
    assert retain(log, NOW + 10_000) == 2
    assert (log.start_offset, log.high_watermark) == (4, 4)
    assert log.append(batch("new")) == (4, -1)


def test_retention_by_size_keeps_at_least_that_much(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="14", retention_bytes="150", retention_ms="-1")
    for value in "abcd":
        log.append(batch(value))
    retain(log, NOW)
    assert 150 <= log.size < 150 + log.segments[0].size
    assert read_all(log)[-1] == (3, "d")


def test_retention_leaves_compacted_topics_alone(tmp_path: Path) -> None:
    log = open_partition(tmp_path, cleanup_policy="compact", retention_ms="1")
    log.append(batch("a", timestamp=5))
    assert retain(log, NOW) == 0


def test_delete_before_moves_the_start_and_survives_a_restart(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="200")
    for value in "abcdefgh":
        log.append(batch(value))
    log.delete_before(3)
    assert log.start_offset == 3
    assert [offset for offset, _ in read_all(log)] == [3, 4, 5, 6, 7]
    log.release()
    log = open_partition(tmp_path, segment_bytes="200")
    assert log.start_offset == 3
    log.delete_before(8)
    assert (log.start_offset, log.end_offset, log.size) == (8, 8, 0)
    log.release()
    assert open_partition(tmp_path).end_offset == 8


# -- durability --------------------------------------------------------------------------------------------------------
def test_durable_appends_are_visible_after_their_commit_only(tmp_path: Path) -> None:
    log = open_partition(tmp_path, durable=True, segment_bytes="200")
    log.append(batch("a"))
    pending = log.pending()
    log.append(batch("b"))
    assert read_all(log) == []
    log.commit(pending)
    assert read_all(log) == [(0, "a")]
    for value in "cdefg":
        log.append(batch(value))
    assert read_all(log) == [(0, "a")]
    log.commit(log.pending())
    assert read_all(log) == list(enumerate("abcdefg"))
