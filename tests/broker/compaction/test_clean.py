"""What compaction leaves of a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.compaction.candidate import read_first_dirty
from broker.log.partition import PartitionLog
from broker.log.retention import retain
from broker.protocol.batches import DELETE_HORIZON, encode_batch, read_header
from broker.protocol.compression import Codec
from tests.broker.compaction.passes import Kept, LocalWorker, compact, latest, read_all, read_from
from tests.broker.log.partitions import NOW, open_partition

DAY = 86_400_000
EAGER = {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": "0"}


def built(
    records: list[tuple[bytes, bytes | None]],
    timestamps: list[int],
    *,
    codec: Codec = Codec.NONE,
    producer: tuple[int, int, int] = (-1, -1, -1),
    headers: list[tuple[str, bytes | None]] | None = None,
) -> bytearray:
    """A batch as an independent client makes it."""
    producer_id, epoch, sequence = producer
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=int(codec), is_transactional=0, producer_id=producer_id, producer_epoch=epoch,
        base_sequence=sequence, batch_size=1_000_000,
    )  # fmt: skip
    for number, ((key, value), timestamp) in enumerate(zip(records, timestamps)):
        assert builder.append(number, timestamp, key, value, headers or []) is not None
    return bytearray(builder.build())


def put(log: PartitionLog, *records: tuple[str, str | None], timestamp: int = NOW) -> int:
    """Appends one batch of (key, value)."""
    pairs = [(key.encode(), None if value is None else value.encode()) for key, value in records]
    return log.append(encode_batch(pairs, timestamp))[0]


def headers_of(log: PartitionLog) -> list[tuple[int, int, int]]:
    """(base offset, last offset, record count) of all batches."""
    return [
        (header.base_offset, header.base_offset + header.last_offset_delta, header.record_count)
        for segment in log.segments
        for _, header in segment.headers(0)
    ]


def test_compaction_keeps_the_latest_record_of_each_key_where_it_was(tmp_path: Path) -> None:
    log = open_partition(tmp_path, **EAGER)
    put(log, ("a", "1"), ("b", "1"), ("a", "2"))
    put(log, ("c", "1"))
    put(log, ("b", "2"), ("d", "1"))
    log.roll()
    put(log, ("a", "3"))
    compact(log)
    assert [(one.offset, one.key, one.value) for one in read_all(log)] == [
        (2, b"a", b"2"),
        (3, b"c", b"1"),
        (4, b"b", b"2"),
        (5, b"d", b"1"),
        (6, b"a", b"3"),
    ]
    assert headers_of(log) == [(0, 2, 1), (3, 3, 1), (4, 5, 2), (6, 6, 1)]
    assert read_first_dirty(log) == 6


def test_compaction_leaves_the_active_segment_alone(tmp_path: Path) -> None:
    log = open_partition(tmp_path, **EAGER)
    put(log, ("a", "1"))
    put(log, ("a", "2"))
    worker = LocalWorker()
    compact(log, worker=worker)
    assert worker.cleanings == []
    assert len(read_all(log)) == 2


def test_compaction_puts_small_segments_together_up_to_the_segment_size(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="200", **EAGER)
    for number in range(40):
        put(log, (f"k{number % 4}", f"v{number}"))
    assert len(log.segments) == 20
    compact(log)  # each of them is full before it is cleaned
    put(log, ("k0", "x"))
    log.roll()
    put(log, ("k1", "x"))
    compact(log)
    assert [segment.base_offset for segment in log.segments] == [0, 36, 38, 40, 41]
    assert latest(read_all(log)) == {b"k0": b"x", b"k1": b"x", b"k2": b"v38", b"k3": b"v39"}


def test_compaction_starts_at_the_dirty_ratio(tmp_path: Path) -> None:
    """Above, not at it; overdue records (max.compaction.lag.ms) go at once."""
    configs = {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": "0.5"}
    log = open_partition(tmp_path, **configs)
    put(log, ("a", "1"))
    log.roll()
    put(log, ("b", "1"))
    compact(log)
    assert read_first_dirty(log) == 1
    log.roll()
    put(log, ("a", "2"))
    compact(log)  # one of two records is dirty
    assert read_first_dirty(log) == 1
    log.release()
    log = open_partition(tmp_path, **configs, max_compaction_lag_ms="1000")
    compact(log, now=NOW + 1_000)
    assert read_first_dirty(log) == 1
    compact(log, now=NOW + 1_001)
    assert read_first_dirty(log) == 2


def test_compaction_waits_for_the_minimum_lag(tmp_path: Path) -> None:
    log = open_partition(tmp_path, **EAGER, min_compaction_lag_ms="1000")
    put(log, ("a", "1"), timestamp=NOW - 2_000)
    log.roll()
    put(log, ("a", "2"), timestamp=NOW - 500)
    log.roll()
    put(log, ("a", "3"))
    compact(log)
    assert read_first_dirty(log) == 1
    assert [one.offset for one in read_all(log)] == [0, 1, 2]
    compact(log, now=NOW + 600)
    assert read_first_dirty(log) == 2
    assert [one.offset for one in read_all(log)] == [1, 2]


def test_compacted_topic_rolls_at_the_maximum_lag(tmp_path: Path) -> None:
    log = open_partition(tmp_path, **EAGER, max_compaction_lag_ms="1000")
    put(log, ("a", "1"), timestamp=NOW - 5_000)
    put(log, ("a", "2"), timestamp=NOW - 3_000)
    assert len(log.segments) == 2


def test_tombstone_goes_after_its_delete_horizon_and_not_before(tmp_path: Path) -> None:
    """The horizon counts from the first cleaning and is kept in the batch's header; the timestamps stay."""
    log = open_partition(tmp_path, **EAGER, delete_retention_ms="1000")
    put(log, ("a", "1"), timestamp=NOW - 3 * DAY)
    put(log, ("a", None), ("b", "1"), timestamp=NOW - 2 * DAY)
    log.roll()
    put(log, ("x", "1"))
    compact(log)
    kept = [Kept(1, b"a", None, NOW - 2 * DAY), Kept(2, b"b", b"1", NOW - 2 * DAY), Kept(3, b"x", b"1", NOW)]
    assert read_all(log) == kept
    header = read_header(log.reader.read(1, 1_000, at_least_one=True))
    assert header.attributes & DELETE_HORIZON
    assert (header.base_timestamp, header.max_timestamp) == (NOW + 1_000, NOW - 2 * DAY)
    batch = DefaultRecordBatch(log.reader.read(1, 1_000, at_least_one=True)[: header.length + 12])
    assert batch.validate_crc()
    assert [(one.key, one.value, one.timestamp) for one in batch] == [
        (b"a", None, NOW - 2 * DAY),
        (b"b", b"1", NOW - 2 * DAY),
    ]
    for now, expected in ((NOW + 999, kept), (NOW + 1_000, kept[1:])):
        log.roll()
        put(log, ("x", "1"))
        compact(log, now=now)
        found = read_all(log)
        assert [one for one in found if one.key != b"x"] == [one for one in expected if one.key != b"x"]


@pytest.mark.parametrize("codec", list(Codec))
def test_rewritten_batch_keeps_its_codec_timestamps_and_headers(tmp_path: Path, codec: Codec) -> None:
    """Read by an independent client; one kept record has a large timestamp delta, one a tombstone."""
    log = open_partition(tmp_path, **EAGER)
    records: list[tuple[bytes, bytes | None]] = [(b"a", b"x" * 300), (b"b", b"y" * 300), (b"a", b"z" * 300)]
    headers: list[tuple[str, bytes | None]] = [("name", b"content"), ("none", None)]
    log.append(built(records, [NOW - 500, NOW, NOW - 70_000], codec=codec, headers=headers))
    log.append(built([(b"t", None), (b"t", b"1"), (b"t", None)], [NOW] * 3, codec=codec, headers=headers))
    log.roll()
    put(log, ("x", "1"))
    compact(log)
    first, second = (bytes(one) for one in list(log.reader.read_batches(0))[:2])
    for batch, expected in (
        (first, [(1, NOW, b"b", b"y" * 300), (2, NOW - 70_000, b"a", b"z" * 300)]),
        (second, [(5, NOW, b"t", None)]),
    ):
        assert read_header(batch).attributes & 7 == codec
        decoded = DefaultRecordBatch(bytearray(batch))
        assert decoded.validate_crc()
        found = list(decoded)
        assert [(one.offset, one.timestamp, one.key, one.value) for one in found] == expected
        assert [list(one.headers) for one in found] == [headers] * len(found)


def test_last_batch_of_a_producer_stays_so_that_it_is_known_when_sent_again(tmp_path: Path) -> None:
    """Also when the snapshots are lost, and nothing but the log tells what was written."""
    log = open_partition(tmp_path, **EAGER)
    for sequence in range(3):
        log.append(built([(b"a", b"1")], [NOW], producer=(7, 0, sequence)))
    log.append(built([(b"a", b"2")], [NOW]))
    log.roll()
    put(log, ("b", "1"))
    compact(log)
    assert headers_of(log) == [(2, 2, 0), (3, 3, 1), (4, 4, 1)]
    compact(log)
    log.release()
    for path in tmp_path.glob("*.snapshot"):
        path.unlink()
    log = open_partition(tmp_path, **EAGER)
    assert log.append(built([(b"a", b"1")], [NOW], producer=(7, 0, 2))) == (2, -1)
    assert log.append(built([(b"a", b"1")], [NOW], producer=(7, 0, 3))) == (5, -1)


def test_records_without_key_of_an_earlier_policy_go(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(encode_batch([(None, b"v"), (b"k", b"v")], NOW))
    log.roll()
    put(log, ("x", "1"))
    log.release()
    log = open_partition(tmp_path, **EAGER)
    compact(log)
    assert [one.offset for one in read_all(log)] == [1, 2]


def test_year_old_timestamps_are_kept_by_a_compacted_topic_whatever_retention_says(tmp_path: Path) -> None:
    """A changelog carries event times. Retention counts by them, and so does rolling; compaction must not."""
    year = 365 * DAY
    configs = {**EAGER, "retention_ms": "1000", "retention_bytes": "1", "segment_ms": str(7 * DAY)}
    log = open_partition(tmp_path, **configs)
    for day in range(0, 360, 3):
        put(log, (f"k{day % 40}", f"v{day}"), (f"once{day}", "v"), timestamp=NOW - year + day * DAY)
    assert len(log.segments) > 30
    expected = latest(read_all(log))
    for _ in range(2):
        assert retain(log, NOW) == 0
        compact(log)
    assert latest(read_all(log)) == expected
    assert len(read_all(log)) < 180
    log.release()
    assert latest(read_all(open_partition(tmp_path, **configs))) == expected


def test_compact_and_delete_does_both(tmp_path: Path) -> None:
    configs = {"cleanup_policy": "compact,delete", "min_cleanable_dirty_ratio": "0", "retention_ms": str(DAY)}
    log = open_partition(tmp_path, **configs)
    put(log, ("old", "1"), timestamp=NOW - 2 * DAY)
    log.roll()
    put(log, ("a", "1"))
    put(log, ("a", "2"))
    log.roll()
    put(log, ("b", "1"))
    assert retain(log, NOW) == 1
    compact(log)
    assert (log.start_offset, [one.offset for one in read_all(log)]) == (1, [2, 3])


def test_retention_drops_a_segment_that_compaction_emptied(tmp_path: Path) -> None:
    """It would hold up everything behind it."""
    configs = {"cleanup_policy": "compact,delete", "min_cleanable_dirty_ratio": "0", "retention_ms": str(DAY)}
    log = open_partition(tmp_path, segment_bytes="14", **configs)
    put(log, ("a", "1"), timestamp=NOW - 3 * DAY)
    put(log, ("a", "2"), timestamp=NOW - 2 * DAY)
    put(log, ("b", "2"))
    compact(log)
    assert log.segments[0].size == 0
    far = NOW + 10**12  # the file was written now, whatever the test's clock says
    assert retain(log, far) == 3
    assert log.start_offset == log.end_offset == 3


def test_durable_log_is_not_cleaned_beyond_what_is_committed(tmp_path: Path) -> None:
    log = open_partition(tmp_path, durable=True, **EAGER)
    put(log, ("a", "1"))
    put(log, ("a", "2"))
    log.commit(log.pending())
    log.roll()
    put(log, ("b", "1"))
    log.roll()
    put(log, ("a", "3"))
    compact(log)
    assert read_first_dirty(log) == 2
    assert [one.offset for one in read_all(log)] == [1]
    log.commit(log.pending())
    assert [one.offset for one in read_all(log)] == [1, 2, 3]


def test_small_map_takes_several_passes(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="500", **EAGER)
    for number in range(100):
        put(log, (f"k{number % 50}", f"v{number}"))
    worker = LocalWorker()
    compact(log, map_bytes=2_000, worker=worker)
    assert len(worker.cleanings) > 3
    assert read_first_dirty(log) == log.active.base_offset
    assert latest(read_all(log)) == {f"k{number % 50}".encode(): f"v{number}".encode() for number in range(50, 100)}
    offsets = [one.offset for one in read_all(log) if one.offset < log.active.base_offset]
    assert all(offset >= 50 or offset + 50 >= log.active.base_offset for offset in offsets)


# -- properties --------------------------------------------------------------------------------------------------------
@dataclass
class Oracle:
    """Every record ever written, and what a reader may find of them."""

    log: PartitionLog
    retention_ms: int
    written: dict[int, Kept] = field(default_factory=dict[int, Kept])
    cleaned_at: dict[int, int] = field(default_factory=dict[int, int])
    """Offset of a tombstone → when a pass first left it."""

    def check(self, first_dirty: int, now: int) -> None:
        """`now`: of the last pass."""
        found = read_all(self.log)
        offsets = [one.offset for one in found]
        assert offsets == sorted(set(offsets))
        assert all(self.written[one.offset] == one for one in found), "what is left is as it was written"
        assert latest(found) == latest(list(self.written.values())), "the table is the same"
        there = set(offsets)
        assert there >= {offset for offset in self.written if offset >= first_dirty}, "the dirty part is whole"
        winners = {one.key: offset for offset, one in self.written.items() if offset < first_dirty}
        for offset in there:
            if offset < first_dirty:
                assert winners[self.written[offset].key] == offset, "of each key the latest"
        for offset in winners.values():
            if self.written[offset].value is not None:
                assert offset in there
            elif offset in there:
                self.cleaned_at.setdefault(offset, now)
            else:
                assert now >= self.cleaned_at[offset] + self.retention_ms, "a tombstone has its time"

    def check_readers(self, max_bytes: int) -> None:
        """From wherever a reader goes on, it misses nothing."""
        found = read_all(self.log)
        for offset in range(self.log.start_offset, self.log.high_watermark + 1):
            assert read_from(self.log, offset, max_bytes=max_bytes) == [one for one in found if one.offset >= offset]


keys = st.sampled_from([b"a", b"b", b"c", b"d", b"k" * 40, b"l" * 40, b""])
values = st.none() | st.binary(max_size=8)
appends = st.tuples(
    st.just("append"),
    st.lists(st.tuples(keys, values, st.integers(-400 * DAY, 0)), min_size=1, max_size=6),
    st.sampled_from(list(Codec)),
)
steps = st.one_of(
    appends,
    appends,
    appends,
    st.tuples(st.just("roll")),
    st.tuples(st.just("clean"), st.integers(0, 3_000), st.sampled_from([200, 1_000, 1 << 20])),
    st.tuples(st.just("clean"), st.integers(0, 3_000), st.sampled_from([200, 1_000, 1 << 20])),
    st.tuples(st.just("reopen"), st.booleans(), st.booleans()),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(steps, min_size=3, max_size=30),
    segment_bytes=st.sampled_from([14, 300, 1_000, 100_000]),
    interval=st.sampled_from([0, 100, 4_096]),
    max_bytes=st.sampled_from([1, 200, 100_000]),
)
def test_whatever_is_written_and_cleaned_readers_see_the_table_of_a_dict(
    tmp_path_factory: pytest.TempPathFactory,
    script: list[tuple[object, ...]],
    segment_bytes: int,
    interval: int,
    max_bytes: int,
) -> None:
    directory = tmp_path_factory.mktemp("log")
    configs = {
        **EAGER,
        "segment_bytes": str(segment_bytes),
        "index_interval_bytes": str(interval),
        "delete_retention_ms": "2000",
        "segment_ms": str(500 * DAY),
    }
    log = open_partition(directory, **configs)
    oracle = Oracle(log, 2_000)
    now, sequence, cleaned = NOW, 0, NOW
    for step in script:
        match step:
            case ("append", list() as records, Codec() as codec):
                content = built(
                    [(key, value) for key, value, _ in records],
                    [NOW + age for _, _, age in records],
                    codec=codec,
                    producer=(7, 0, sequence),
                )
                sequence += len(records)
                offset, _ = log.append(content)
                for number, (key, value, age) in enumerate(records):
                    oracle.written[offset + number] = Kept(offset + number, key, value, NOW + age)
            case ("roll",):
                if log.active.size:
                    log.roll()
            case ("clean", int() as later, int() as map_bytes):
                now += later
                cleaned = now
                compact(log, now=now, map_bytes=map_bytes)
                oracle.check_readers(max_bytes)
            case ("reopen", bool() as clean, bool() as trusted):
                if clean:
                    log.close(sync=False)
                else:
                    log.release()
                log = oracle.log = open_partition(directory, trusted=clean and trusted, **configs)
            case _:
                raise AssertionError(step)
        oracle.check(read_first_dirty(log), cleaned)
    if sequence:
        last = max(log.producers.producers[7].batches, key=lambda one: one[2])
        assert (last[1] + 1) == sequence, "the producer's last batch is known"
    log.release()
