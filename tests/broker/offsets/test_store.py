"""The offsets in memory: held-back transactions and expiry."""

from __future__ import annotations

import pytest

from broker.offsets.committed_offset import CommittedOffset
from broker.offsets.store import OffsetStore

PARTITION = ("t", 0)


def committed(offset: int, at_ms: int = 0, expire_ms: int | None = None) -> CommittedOffset:
    return CommittedOffset(offset=offset, commit_timestamp_ms=at_ms, expire_timestamp_ms=expire_ms)


def all_groups(group_id: str) -> bool:
    return True


def keep_none(topic: str) -> bool:
    return False


def test_store_remove_of_the_last_offset_forgets_the_group() -> None:
    """Groups without offsets leave nothing behind."""
    store = OffsetStore()
    store.put("g", PARTITION, committed(1))
    store.remove("g", PARTITION)
    assert store.groups == {}
    store.remove("g", PARTITION)


def test_store_transaction_is_unstable_until_it_finishes() -> None:
    """Held back offsets are not visible, but known about; a commit hands them out, an abort drops them."""
    store = OffsetStore()
    store.put("g", PARTITION, committed(1))
    store.hold_back(7, "g", [(PARTITION, committed(2))])
    store.hold_back(7, "g", [(PARTITION, committed(3))])
    assert store.get("g", PARTITION) == committed(1)
    assert store.unstable("g", PARTITION)
    assert not store.unstable("g", ("t", 1))
    assert store.finish(7, commit=True, concerns=lambda group: group == "other") == []
    assert store.unstable("g", PARTITION)
    assert store.finish(7, commit=True, concerns=all_groups) == ["g"]
    assert store.get("g", PARTITION) == committed(3)
    assert not store.unstable("g", PARTITION)
    store.hold_back(7, "g", [(PARTITION, committed(4))])
    assert store.finish(7, commit=False, concerns=all_groups) == []
    assert not store.holds_back("g")


def test_store_commit_after_a_transactional_one_counts_whichever_ends_later() -> None:
    """The order of the requests is the order in the log; a transaction's end does not turn it round."""
    store = OffsetStore()
    store.hold_back(7, "g", [(PARTITION, committed(2))])
    store.put("g", PARTITION, committed(5))
    assert store.unstable("g", PARTITION)
    assert store.finish(7, commit=True, concerns=all_groups) == []
    assert store.get("g", PARTITION) == committed(5)
    assert not store.unstable("g", PARTITION)


@pytest.mark.parametrize("ends", [(7, 8), (8, 7)])
def test_store_of_two_transactions_the_later_offset_counts_whichever_ends_first(ends: tuple[int, int]) -> None:
    """Source: `OffsetMetadataManager.replayEndTransactionMarker`, which compares the places of the offsets' records in
    the log."""
    store = OffsetStore()
    store.hold_back(7, "g", [(PARTITION, committed(2)), (("t", 1), committed(2))])
    store.hold_back(8, "g", [(PARTITION, committed(3))])
    assert store.finish(ends[0], commit=True, concerns=all_groups) == ["g"]
    assert store.get("g", PARTITION) == committed(2 if ends[0] == 7 else 3)
    assert store.unstable("g", PARTITION)
    store.finish(ends[1], commit=True, concerns=all_groups)
    assert store.of_group("g") == {PARTITION: committed(3), ("t", 1): committed(2)}
    assert store.held_back == {}


@pytest.mark.parametrize("ends", [(7, 8), (8, 7)])
def test_store_aborted_transaction_leaves_the_earlier_offset_of_another(ends: tuple[int, int]) -> None:
    store = OffsetStore()
    store.hold_back(7, "g", [(PARTITION, committed(2))])
    store.hold_back(8, "g", [(PARTITION, committed(3))])
    for producer_id in ends:
        store.finish(producer_id, commit=producer_id == 7, concerns=all_groups)
    assert store.get("g", PARTITION) == committed(2)


def test_store_plain_commit_outdates_only_what_came_before_it() -> None:
    store = OffsetStore()
    store.hold_back(7, "g", [(PARTITION, committed(2))])
    store.put("g", PARTITION, committed(5))
    store.hold_back(8, "g", [(PARTITION, committed(6))])
    assert store.finish(7, commit=True, concerns=all_groups) == []
    assert store.get("g", PARTITION) == committed(5)
    store.finish(8, commit=True, concerns=all_groups)
    assert store.get("g", PARTITION) == committed(6)


def test_store_of_a_deleted_topic_finds_what_is_held_back_too() -> None:
    """Committed later, it would be an offset of a topic that is no more."""
    store = OffsetStore()
    store.put("g", PARTITION, committed(1))
    store.hold_back(7, "g", [(PARTITION, committed(2)), (("t", 1), committed(2)), (("u", 0), committed(2))])
    gone = list(store.of_topic("t"))
    assert gone == [("g", PARTITION), ("g", ("t", 1))]
    for group_id, partition in gone:
        store.remove(group_id, partition)
    assert store.finish(7, commit=True, concerns=all_groups) == ["g"]
    assert store.of_group("g") == {("u", 0): committed(2)}


def test_store_drop_forgets_what_could_not_be_written() -> None:
    store = OffsetStore()
    store.hold_back(7, "g", [(PARTITION, committed(2)), (("t", 1), committed(3))])
    store.drop(7, "g", [PARTITION])
    assert not store.unstable("g", PARTITION)
    assert store.unstable("g", ("t", 1))
    store.drop(7, "g", [("t", 1)])
    assert store.held_back == {}


def test_store_expiry_counts_from_the_base_or_else_the_commit() -> None:
    """An empty group's offsets age together, a simple group's each from its own commit."""
    store = OffsetStore()
    store.put("g", ("t", 0), committed(1, at_ms=100))
    store.put("g", ("t", 1), committed(1, at_ms=500))
    by_commit = store.expired("g", now_ms=1_100, retention_ms=1_000, base_ms=None, keep=keep_none)
    assert by_commit == [("t", 0)]
    by_base = store.expired("g", now_ms=1_100, retention_ms=1_000, base_ms=100, keep=keep_none)
    assert by_base == [("t", 0), ("t", 1)]


def test_store_expiry_prefers_the_clients_own_retention() -> None:
    """OffsetCommit v2-v4 bring one."""
    store = OffsetStore()
    store.put("g", PARTITION, committed(1, at_ms=0, expire_ms=5_000))
    assert store.expired("g", now_ms=4_999, retention_ms=1, base_ms=0, keep=keep_none) == []
    assert store.expired("g", now_ms=5_000, retention_ms=1, base_ms=0, keep=keep_none) == [PARTITION]


def test_store_expiry_spares_kept_topics_and_open_transactions() -> None:
    """A live group's subscribed topics, and what is about to be committed anyway."""
    store = OffsetStore()
    store.put("g", ("kept", 0), committed(1))
    store.put("g", ("pending", 0), committed(1))
    store.put("g", ("old", 0), committed(1))
    store.hold_back(7, "g", [(("pending", 0), committed(2))])
    gone = store.expired("g", now_ms=10, retention_ms=1, base_ms=None, keep=lambda topic: topic == "kept")
    assert gone == [("old", 0)]
