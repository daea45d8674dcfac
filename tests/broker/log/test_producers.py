"""Idempotent producers: duplicates, gaps, epochs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused
from broker.log.producer_snapshot import SnapshotError, decode_snapshot, encode_snapshot
from broker.log.producers import ProducerStates
from tests.broker.log.partitions import batch, open_partition, read_all


def test_append_of_a_batch_sent_again_returns_where_it_is(tmp_path: Path) -> None:
    """Each of the last five batches is known; nothing is written."""
    log = open_partition(tmp_path)
    for sequence in range(6):
        log.append(batch("v", producer=(7, 0, sequence)))
    for sequence in range(1, 6):
        assert log.append(batch("v", producer=(7, 0, sequence))) == (sequence, -1)
    assert log.end_offset == 6
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("v", producer=(7, 0, 0)))
    assert refused.value.code is ErrorCode.out_of_order_sequence_number


@pytest.mark.parametrize(
    ("producer", "code"),
    [
        ((7, 1, 4), ErrorCode.out_of_order_sequence_number),  # a gap
        ((7, 1, 0), ErrorCode.out_of_order_sequence_number),  # same start, other length
        ((7, 0, 2), ErrorCode.invalid_producer_epoch),
        ((7, 2, 3), ErrorCode.out_of_order_sequence_number),  # a new epoch begins at 0
    ],
)
def test_append_out_of_sequence_is_refused(tmp_path: Path, producer: tuple[int, int, int], code: ErrorCode) -> None:
    log = open_partition(tmp_path)
    log.append(batch("a", "b", "c", producer=(7, 1, 0)))
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("x", producer=producer))
    assert refused.value.code is code


def test_append_of_an_unknown_producer_may_begin_anywhere(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    assert log.append(batch("a", producer=(8, 3, 40))) == (0, -1)
    assert log.append(batch("b", producer=(8, 4, 0))) == (1, -1)


def test_sequence_wraps_to_zero(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(batch("a", "b", producer=(7, 0, 2**31 - 2)))
    assert log.append(batch("c", producer=(7, 0, 0))) == (2, -1)
    log.append(batch("d", producer=(7, 0, 1)))
    assert log.append(batch("a", "b", producer=(7, 0, 2**31 - 2))) == (0, -1)


@pytest.mark.parametrize("clean", [True, False])
def test_duplicates_are_known_after_a_restart(tmp_path: Path, clean: bool) -> None:
    """From the snapshot after a clean shutdown, from the batches after a crash."""
    log = open_partition(tmp_path, segment_bytes="200")
    for sequence in range(9):
        log.append(batch("v", producer=(7, 0, sequence)))
    if clean:
        log.close(sync=False)
    else:
        log.release()
    log = open_partition(tmp_path, trusted=clean, segment_bytes="200")
    for sequence in range(4, 9):
        assert log.append(batch("v", producer=(7, 0, sequence))) == (sequence, -1)
    assert log.append(batch("v", producer=(7, 0, 9))) == (9, -1)
    assert len(read_all(log)) == 10


def test_expire_forgets_producers_that_were_silent(tmp_path: Path) -> None:
    states = ProducerStates()
    states.note(1, 0, 0, 0, 0, 1_000)
    states.note(2, 0, 0, 0, 1, 2_000)
    states.expire(2_000)
    assert list(states.producers) == [2]


@given(st.binary(max_size=200))
def test_snapshot_of_other_bytes_is_refused(content: bytes) -> None:
    with pytest.raises(SnapshotError):
        decode_snapshot(content)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**63 - 1), st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1),
            st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_snapshot_round_trips(batches: list[tuple[int, int, int, int, int, int]]) -> None:
    states = ProducerStates()
    for line in batches:
        states.note(*line)
    again = decode_snapshot(encode_snapshot(states))
    assert encode_snapshot(again) == encode_snapshot(states)
    assert {number: one.batches for number, one in again.producers.items()} == {
        number: one.batches for number, one in states.producers.items()
    }
