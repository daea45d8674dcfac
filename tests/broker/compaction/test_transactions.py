"""Compaction of transactional records."""

from __future__ import annotations

from pathlib import Path

from broker.compaction.candidate import read_first_dirty
from broker.log.partition import PartitionLog
from broker.protocol.batches import CONTROL, TRANSACTIONAL, encode_batch
from broker.protocol.control import marker_batch
from tests.broker.compaction.passes import compact, latest, read_all
from tests.broker.compaction.test_clean import EAGER, headers_of, put
from tests.broker.log.partitions import NOW, open_partition


class Transactions:
    """One producer that writes in transactions."""

    def __init__(self, log: PartitionLog, producer_id: int) -> None:
        self.log = log
        self.producer_id = producer_id
        self.sequence = 0

    def put(self, key: str, value: str | None) -> int:
        content = encode_batch(
            [(key.encode(), None if value is None else value.encode())], NOW, attributes=TRANSACTIONAL,
            producer_id=self.producer_id, producer_epoch=0, base_sequence=self.sequence,
        )  # fmt: skip
        self.sequence += 1
        return self.log.append(content, transactional=True)[0]

    def end(self, *, commit: bool) -> None:
        self.log.append_marker(marker_batch(self.producer_id, 0, commit=commit, timestamp_ms=NOW))


def values(log: PartitionLog) -> list[tuple[int, bytes | None, bytes | None]]:
    """The data records that are left."""
    markers = {
        header.base_offset
        for segment in log.segments
        for _, header in segment.headers(0)
        if header.attributes & CONTROL
    }
    return [(one.offset, one.key, one.value) for one in read_all(log) if one.offset not in markers]


def test_aborted_records_go_and_outdate_nothing(tmp_path: Path) -> None:
    """Markers stay, and so does the batch by which the producer's next one is known."""
    log = open_partition(tmp_path, **EAGER)
    one, other = Transactions(log, 7), Transactions(log, 8)
    one.put("a", "1")
    other.put("b", "1")
    one.end(commit=True)
    one.put("a", "aborted")
    other.put("b", "2")
    one.put("c", "aborted")
    other.end(commit=True)
    one.end(commit=False)
    log.roll()
    put(log, ("x", "1"))
    compact(log)
    assert values(log) == [(0, b"a", b"1"), (4, b"b", b"2"), (8, b"x", b"1")]
    assert headers_of(log) == [(0, 0, 1), (2, 2, 1), (4, 4, 1), (5, 5, 0), (6, 6, 1), (7, 7, 1), (8, 8, 1)]
    log.release()
    log = one.log = open_partition(tmp_path, **EAGER)
    assert values(log)[0] == (0, b"a", b"1")
    assert one.put("a", "3") == 9
    records, aborted = log.reader.read_committed(0, 10_000, at_least_one=True)
    assert records
    assert [entry for entry in aborted if entry.first_offset > 5] == []


def test_nothing_is_compacted_from_an_open_transaction_on(tmp_path: Path) -> None:
    """Nobody knows yet whether its records outdate others."""
    log = open_partition(tmp_path, **EAGER)
    producer = Transactions(log, 7)
    put(log, ("a", "1"))
    put(log, ("a", "2"))
    log.roll()
    put(log, ("a", "3"))
    producer.put("a", "4")
    log.roll()
    put(log, ("a", "5"))
    log.roll()
    put(log, ("x", "1"))
    compact(log)
    assert read_first_dirty(log) == 2
    producer.end(commit=False)
    log.roll()
    put(log, ("y", "1"))
    compact(log)
    assert latest(read_all(log))[b"a"] == b"5"
    assert [value for _, key, value in values(log) if key == b"a"] == [b"5"]
    assert read_first_dirty(log) == log.active.base_offset
