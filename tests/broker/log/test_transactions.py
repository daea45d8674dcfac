"""Transactions in a partition: the last stable offset, what was aborted, and both after a restart."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.log.partition import PartitionLog
from broker.protocol.control import is_commit, marker_batch
from tests.broker.log.partitions import NOW, batch, marker, open_partition, read_all, read_committed

PRODUCERS = [7, 8, 9]


class Heard:
    """A waiting fetch."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.left = False

    def more(self, size: int) -> None:
        self.sizes.append(size)

    def gone(self) -> None:
        self.left = True


def write(log: PartitionLog, *values: str, producer: tuple[int, int, int]) -> int:
    """Appends a transactional batch whose transaction the coordinator knows of; returns its offset."""
    return log.append(batch(*values, producer=producer, transactional=True), transactional=True)[0]


def test_last_stable_offset_waits_for_the_earliest_open_transaction(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(batch("plain"))
    write(log, "a", producer=(7, 0, 0))
    write(log, "b", producer=(8, 0, 0))
    log.append(batch("after"))
    assert (log.stable.offset, log.high_watermark) == (1, 4)
    log.append_marker(marker(8, 0, commit=True))
    assert log.stable.offset == 1
    assert read_committed(log) == [(0, "plain")]
    log.append_marker(marker(7, 0, commit=True))
    assert log.stable.offset == 6
    assert read_committed(log) == [(0, "plain"), (1, "a"), (2, "b"), (3, "after")]


def test_read_committed_names_what_was_aborted(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    write(log, "a", producer=(7, 0, 0))
    write(log, "b", producer=(8, 0, 0))
    write(log, "c", producer=(7, 0, 1))
    log.append_marker(marker(7, 0, commit=False))
    log.append_marker(marker(8, 0, commit=True))
    _, aborted = log.reader.read_committed(0, 1 << 20, at_least_one=True)
    assert [(one.producer_id, one.first_offset, one.last_offset) for one in aborted] == [(7, 0, 3)]
    assert read_committed(log) == [(1, "b")]
    assert log.reader.read_committed(4, 1 << 20, at_least_one=True)[1] == []


def test_last_stable_offset_waits_until_the_marker_is_durable(tmp_path: Path) -> None:
    """A crash could undo a marker that was not synced; what a reader saw must not be undecided again."""
    log = open_partition(tmp_path, durable=True)
    write(log, "a", producer=(7, 0, 0))
    log.commit(log.pending())
    log.append_marker(marker(7, 0, commit=True))
    assert (log.stable.offset, log.high_watermark) == (0, 1)
    log.commit(log.pending())
    assert (log.stable.offset, log.high_watermark) == (2, 2)


def test_read_committed_waiter_is_woken_by_the_marker(tmp_path: Path) -> None:
    """With the bytes that became stable, not with those that were only written."""
    log = open_partition(tmp_path)
    heard = Heard()
    log.stable.waiters.add(heard)
    log.append(batch("plain"))
    write(log, "a", producer=(7, 0, 0))
    log.append(batch("after"))
    assert heard.sizes == [len(batch("plain"))]
    log.append_marker(marker(7, 0, commit=True))
    assert sum(heard.sizes) == log.size
    log.release()
    assert heard.left


@pytest.mark.parametrize("producer", [(7, 0, 0), (-1, -1, -1)])
def test_transactional_batch_without_a_transactional_id_is_refused(
    tmp_path: Path, producer: tuple[int, int, int]
) -> None:
    log = open_partition(tmp_path)
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("a", producer=producer, transactional=True))
    assert refused.value.code is ErrorCode.transactional_id_authorization_failed
    assert log.end_offset == 0


def test_plain_batch_in_an_open_transaction_is_refused(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    write(log, "a", producer=(7, 0, 0))
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("b", producer=(7, 0, 1)))
    assert refused.value.code is ErrorCode.invalid_txn_state


def test_marker_with_a_higher_epoch_fences_the_producer(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    write(log, "a", producer=(7, 0, 0))
    log.append_marker(marker(7, 1, commit=False))
    with pytest.raises(AppendRefused) as refused:
        write(log, "b", producer=(7, 0, 1))
    assert refused.value.code is ErrorCode.invalid_producer_epoch
    with pytest.raises(AppendRefused) as refused:
        write(log, "b", producer=(7, 1, 5))
    assert refused.value.code is ErrorCode.out_of_order_sequence_number
    assert write(log, "b", producer=(7, 1, 0)) == 2


def test_open_transaction_keeps_its_producer_from_expiring(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    write(log, "a", producer=(7, 0, 0))
    log.append(batch("b", producer=(8, 0, 0)))
    log.producers.expire(NOW + 1)
    assert list(log.producers.producers) == [7]


@pytest.mark.parametrize("lost", [".txnindex", ".index", ".snapshot", None])
def test_aborted_transactions_are_known_after_a_crash_whatever_is_lost(tmp_path: Path, lost: str | None) -> None:
    """Also where a transaction begins and ends in different segments, and where an index file is damaged."""
    log = open_partition(tmp_path, segment_bytes="250")
    for number in range(6):
        write(log, f"a{number}", producer=(7, 0, 2 * number))
        write(log, f"b{number}", producer=(8, 0, number))
        write(log, f"c{number}", producer=(7, 0, 2 * number + 1))
        log.append_marker(marker(7, 0, commit=False))
        log.append_marker(marker(8, 0, commit=True))
    expected = [(5 * number + 1, f"b{number}") for number in range(6)]
    assert read_committed(log) == expected
    entries = log.aborted.entries
    assert len(log.segments) > 4
    log.release()
    if lost is not None:
        files = sorted(tmp_path.glob(f"*{lost}"))
        files[0].unlink()
        files[-1].write_bytes(b"damaged")
    again = open_partition(tmp_path, segment_bytes="250")
    assert again.aborted.entries == entries
    assert read_committed(again) == expected
    again.release()
    assert open_partition(tmp_path, segment_bytes="250").aborted.entries == entries


def test_deletion_forgets_the_aborted_transactions_with_their_segments(tmp_path: Path) -> None:
    log = open_partition(tmp_path, segment_bytes="250")
    for number in range(6):
        write(log, "a", producer=(7, 0, number))
        log.append_marker(marker(7, 0, commit=False))
    before = len(log.aborted.entries)
    log.delete_before(log.segments[2].base_offset)
    assert 0 < len(log.aborted.entries) < before
    assert len(list(tmp_path.glob("*.txnindex"))) == len(log.segments) - 1


def test_control_batch_round_trips() -> None:
    for commit in (True, False):
        assert is_commit(marker_batch(7, 3, commit=commit, timestamp_ms=NOW)) is commit


class TransactionalLog(RuleBasedStateMachine):
    """Producers write, commit and abort; segments roll; the broker is stopped and killed. Read as clients do, the log
    gives what a list would."""

    CONFIGS = {"segment_bytes": "500", "index_interval_bytes": "120"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="transactional-log-"))
        self.log = open_partition(self.directory, **self.CONFIGS)
        self.records: list[tuple[int, str, int | None]] = []
        """(offset, value, number of the transaction)."""
        self.outcomes: dict[int, bool] = {}
        self.open: dict[int, tuple[int, int]] = {}
        """Producer → (number of its transaction, its first offset)."""
        self.sequences = dict.fromkeys(PRODUCERS, 0)
        self.epochs = dict.fromkeys(PRODUCERS, 0)
        self.transactions = 0

    def teardown(self) -> None:
        self.log.release()
        shutil.rmtree(self.directory)

    @rule(count=st.integers(1, 3))
    def append_plain(self, count: int) -> None:
        values = [f"plain{len(self.records)}-{number}" for number in range(count)]
        offset, _ = self.log.append(batch(*values))
        self.records += [(offset + number, value, None) for number, value in enumerate(values)]

    @rule(producer=st.sampled_from(PRODUCERS), count=st.integers(1, 3))
    def append_in_transaction(self, producer: int, count: int) -> None:
        values = [f"{producer}:{self.sequences[producer] + number}" for number in range(count)]
        identity = (producer, self.epochs[producer], self.sequences[producer])
        offset = write(self.log, *values, producer=identity)
        if producer not in self.open:
            self.transactions += 1
            self.open[producer] = self.transactions, offset
        self.sequences[producer] += count
        self.records += [(offset + number, value, self.open[producer][0]) for number, value in enumerate(values)]
        assert write(self.log, *values, producer=identity) == offset, "sent again"

    @rule(producer=st.sampled_from(PRODUCERS), commit=st.booleans(), fence=st.booleans())
    def end(self, producer: int, commit: bool, fence: bool) -> None:
        if fence and not commit:
            self.epochs[producer] += 1
            self.sequences[producer] = 0
        self.log.append_marker(marker(producer, self.epochs[producer], commit=commit))
        if producer in self.open:
            self.outcomes[self.open.pop(producer)[0]] = commit

    @rule()
    def roll(self) -> None:
        if self.log.active.size:
            self.log.roll()

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        if clean:
            self.log.close(sync=False)
        else:
            self.log.release()
        self.log = open_partition(self.directory, trusted=clean, **self.CONFIGS)

    @invariant()
    def last_stable_offset_is_the_first_open_one(self) -> None:
        first = min((offset for _, offset in self.open.values()), default=self.log.high_watermark)
        assert self.log.stable.offset == first

    @rule(start=st.integers(0, 200), max_bytes=st.sampled_from([1, 150, 400, 100_000]))
    def readers_get_what_counts(self, start: int, max_bytes: int) -> None:
        end = self.log.stable.offset
        start = min(start, end)
        expected = [
            (offset, value)
            for offset, value, transaction in self.records
            if start <= offset < end and (transaction is None or self.outcomes[transaction])
        ]
        assert read_committed(self.log, start, max_bytes=max_bytes) == expected


TestTransactionalLog = TransactionalLog.TestCase
TestTransactionalLog.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_read_uncommitted_sees_everything_but_is_told_of_no_aborts(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    write(log, "a", producer=(7, 0, 0))
    write(log, "b", producer=(8, 0, 0))
    assert read_all(log) == [(0, "a"), (1, "b")]
