"""Offsets of transactions, read back from the journal."""

from __future__ import annotations

import pytest

from broker.groups.recovery import recover
from broker.journal.entry import Entry, Marker
from broker.offsets.committed_offset import CommittedOffset
from broker.offsets.record_key import OffsetKey
from broker.offsets.store import OffsetStore

AT = ("t", 0)
PARTITIONS = {"g0": 0, "g3": 3}


def commits(group: str, offset: int, producer_id: int = -1) -> Entry:
    key = OffsetKey(group, *AT).encode()
    return Entry(key, CommittedOffset(offset=offset, commit_timestamp_ms=1).encode(), producer_id)


def recovered(*entries: Entry | Marker) -> OffsetStore:
    store = OffsetStore()
    recover(entries, store, PARTITIONS.__getitem__)
    return store


def offset(store: OffsetStore, group: str) -> int | None:
    committed = store.get(group, AT)
    return None if committed is None else committed.offset


def test_recovered_offsets_of_a_transaction_count_from_its_marker_on() -> None:
    open_still = recovered(commits("g0", 1), commits("g0", 5, producer_id=7))
    assert (offset(open_still, "g0"), open_still.unstable("g0", AT)) == (1, True)
    for committed, expected in ((True, 5), (False, 1)):
        ended = recovered(commits("g0", 1), commits("g0", 5, producer_id=7), Marker(0, 7, committed))
        assert (offset(ended, "g0"), ended.unstable("g0", AT)) == (expected, False)


def test_recovered_plain_commit_behind_a_transactional_one_counts() -> None:
    store = recovered(commits("g0", 5, producer_id=7), commits("g0", 9), Marker(0, 7, True))
    assert offset(store, "g0") == 9


@pytest.mark.parametrize("ends", [(7, 8), (8, 7)])
def test_recovered_offsets_of_two_transactions_count_in_the_order_of_their_records(ends: tuple[int, int]) -> None:
    held = commits("g0", 5, producer_id=7), commits("g0", 9, producer_id=8)
    assert offset(recovered(*held, *(Marker(0, each, True) for each in ends)), "g0") == 9
    assert offset(recovered(*held, *(Marker(0, each, each == 7) for each in ends)), "g0") == 5


def test_recovered_marker_ends_only_what_its_partition_holds() -> None:
    """Partitions are read one after the other: the marker of an earlier transaction must not end a later one."""
    store = recovered(
        commits("g0", 5, producer_id=7),  # partition 0: open
        commits("g3", 2, producer_id=7),  # partition 3: the transaction before
        Marker(3, 7, True),
    )
    assert (offset(store, "g0"), offset(store, "g3")) == (None, 2)
    assert store.unstable("g0", AT)
