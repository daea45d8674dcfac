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


def markers(log: PartitionLog) -> list[int]:
    return [
        header.base_offset
        for segment in log.segments
        for _, header in segment.headers(0)
        if header.attributes & CONTROL
    ]


def dirty(log: PartitionLog, key: str) -> None:
    """Something that makes a pass due."""
    put(log, (key, "1"))
    log.roll()
    put(log, ("active", "1"))


def test_marker_goes_after_the_last_data_of_its_transaction_and_the_delete_horizon(tmp_path: Path) -> None:
    log = open_partition(tmp_path, delete_retention_ms="1000", **EAGER)
    committed, aborted = Transactions(log, 7), Transactions(log, 8)
    committed.put("a", "1")
    committed.end(commit=True)
    aborted.put("b", "1")
    aborted.end(commit=False)
    for producer in (committed, aborted):  # their last batches are other ones from here on
        producer.put("c", str(producer.producer_id))
        producer.end(commit=True)
    put(log, ("a", "2"))
    dirty(log, "x")
    compact(log, now=NOW)
    assert markers(log) == [1, 3, 5, 7], "the pass met their data"
    assert [entry.last_offset for entry in log.aborted.entries] == [], "no consumer waits for a marker any more"
    dirty(log, "y")
    compact(log, now=NOW)
    assert markers(log) == [1, 3, 5, 7], "the horizon is set"
    dirty(log, "z")
    compact(log, now=NOW + 999)
    assert markers(log) == [1, 3, 5, 7]
    dirty(log, "w")
    compact(log, now=NOW + 1000)
    assert markers(log) == [5, 7], "those whose transactions have batches stay"
    log.release()
    log = open_partition(tmp_path, delete_retention_ms="1000", **EAGER)
    assert log.aborted.entries == []
    assert latest(read_all(log))[b"a"] == b"2"
    committed.log = log
    committed.put("a", "3")
    assert log.producers.producers[7].batches[-1][0] == 2


def test_marker_of_a_producer_that_wrote_nothing_in_its_epoch_stays(tmp_path: Path) -> None:
    """It is what an older epoch is refused by."""
    log = open_partition(tmp_path, delete_retention_ms="0", **EAGER)
    producer = Transactions(log, 7)
    producer.put("a", "1")
    log.append_marker(marker_batch(7, 1, commit=True, timestamp_ms=NOW))
    for key in "uvwxyz":
        put(log, ("a", key))
        dirty(log, key)
        compact(log, now=NOW + 10)
    assert markers(log) == [1]


def test_damaged_batch_is_not_given_a_new_checksum(tmp_path: Path) -> None:
    """Compaction would hide the damage from everybody."""
    log = open_partition(tmp_path, **EAGER)
    put(log, ("a", "1"), ("b", "old"))
    put(log, ("a", "2"))
    log.roll()
    put(log, ("active", "1"))
    path = log.segments[0].path
    content = bytearray(path.read_bytes())
    content[content.index(b"old")] ^= 1
    path.write_bytes(content)
    compact(log)
    assert path.read_bytes() == content
