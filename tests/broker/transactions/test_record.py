"""Records of `__transaction_state`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.journal.errors import JournalRecordError
from broker.transactions.record import decode, decode_key, encode, encode_key
from broker.transactions.state import TransactionState
from broker.transactions.transaction import Transaction

partitions = st.frozensets(st.tuples(st.text(min_size=1, max_size=200), st.integers(0, 2**31 - 1)), max_size=8)
ids = st.integers(-1, 2**63 - 1)
epochs = st.integers(-1, 2**15 - 1)
times = st.integers(-1, 2**62)

transactions = st.builds(
    Transaction,
    transactional_id=st.just("tx"),
    producer_id=ids,
    epoch=epochs,
    last_epoch=epochs,
    previous_producer_id=ids,
    next_producer_id=ids,
    timeout_ms=st.integers(0, 2**31 - 1),
    state=st.sampled_from(TransactionState),
    partitions=partitions,
    started_ms=times,
    updated_ms=times,
    client_version=st.integers(0, 2),
)


@given(transactions)
def test_record_round_trips(transaction: Transaction) -> None:
    assert decode("tx", encode(transaction)) == transaction


def test_record_has_kafkas_layout() -> None:
    """As TransactionLogKey.json and TransactionLogValue.json describe it, version 1."""
    transaction = Transaction(
        transactional_id="tx", producer_id=7, epoch=2, timeout_ms=60_000, state=TransactionState.ONGOING,
        partitions=frozenset((("a", 1), ("a", 0), ("b", 3))), started_ms=5, updated_ms=6, client_version=2,
    )  # fmt: skip
    assert encode_key("tx") == bytes.fromhex("0000 0002 7478")
    assert encode(transaction) == bytes.fromhex(
        "0001 0000000000000007 0002 0000ea60 01"  # version, id, epoch, timeout, state
        "03 0261 03 00000000 00000001 00 0262 02 00000003 00"  # partitions
        "0000000000000006 0000000000000005"  # updated, started
        "01 02 02 0002"  # one tag: client version
    )


def test_key_of_another_version_is_skipped() -> None:
    assert decode_key(encode_key("tx")) == "tx"
    assert decode_key(b"\x00\x01\x00\x02tx") is None


@given(st.binary(max_size=80))
def test_record_of_other_bytes_is_refused(data: bytes) -> None:
    try:
        decode("tx", data)
    except JournalRecordError:
        return
    assert data[:2] == b"\x00\x01"


@pytest.mark.parametrize("cut", range(1, 30))
def test_torn_record_is_refused(cut: int) -> None:
    whole = encode(Transaction(transactional_id="tx", producer_id=7, epoch=2, timeout_ms=1, updated_ms=6))
    with pytest.raises(JournalRecordError):
        decode("tx", whole[:-cut])
