"""Records of `__consumer_offsets`: Kafka's bytes, and what happens to damaged ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.journal.errors import JournalRecordError
from broker.offsets.committed_offset import CommittedOffset, decode_committed_offset
from broker.offsets.group_metadata import GroupMetadata, MemberMetadata, decode_group_metadata
from broker.offsets.record_key import GroupKey, OffsetKey, decode_key

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(max_size=20)

COMMITTED = st.builds(
    CommittedOffset,
    offset=INT64,
    leader_epoch=INT32,
    metadata=NAMES,
    commit_timestamp_ms=INT64,
    expire_timestamp_ms=st.none(),
)
MEMBERS = st.builds(
    MemberMetadata,
    member_id=NAMES,
    instance_id=st.none() | NAMES,
    client_id=NAMES,
    client_host=NAMES,
    rebalance_timeout_ms=st.integers(0, 2**31 - 1),
    session_timeout_ms=st.integers(0, 2**31 - 1),
    subscription=st.binary(),
    assignment=st.binary(),
)
GROUPS = st.builds(
    GroupMetadata,
    protocol_type=NAMES,
    generation=INT32,
    protocol_name=st.none() | NAMES,
    leader=st.none() | NAMES,
    state_since_ms=INT64,
    members=st.lists(MEMBERS, max_size=3).map(tuple),
)


def test_offset_key_has_kafkas_bytes() -> None:
    """int16 version 1, group, topic, partition."""
    assert OffsetKey("g", "tt", 7).encode() == bytes.fromhex("0001 0001 67 0002 7474 00000007")


def test_group_key_has_kafkas_bytes() -> None:
    """int16 version 2, group."""
    assert GroupKey("grp").encode() == bytes.fromhex("0002 0003 677270")


def test_committed_offset_has_kafkas_bytes() -> None:
    """Version 3: offset, leader epoch, metadata, commit timestamp."""
    value = CommittedOffset(offset=42, leader_epoch=5, metadata="m", commit_timestamp_ms=1000)
    assert value.encode() == bytes.fromhex("0003 000000000000002a 00000005 0001 6d 00000000000003e8")


def test_committed_offset_with_an_expiry_is_written_as_version_1() -> None:
    """Only version 1 has a place for the client's own retention; the leader epoch is lost, as in Kafka."""
    value = CommittedOffset(offset=42, metadata="", commit_timestamp_ms=1, expire_timestamp_ms=2)
    assert value.encode() == bytes.fromhex("0001 000000000000002a 0000 0000000000000001 0000000000000002")
    assert decode_committed_offset(value.encode()) == value


def test_group_metadata_has_kafkas_bytes() -> None:
    """Version 3 with one static member."""
    member = MemberMetadata(
        member_id="m",
        instance_id="i",
        client_id="c",
        client_host="h",
        rebalance_timeout_ms=2,
        session_timeout_ms=3,
        subscription=b"s",
        assignment=b"a",
    )
    group = GroupMetadata(
        protocol_type="consumer", generation=9, protocol_name="p", leader="m", state_since_ms=4, members=(member,)
    )
    assert group.encode() == bytes.fromhex(
        "0003 0008 636f6e73756d6572 00000009 0001 70 0001 6d 0000000000000004 00000001"
        "0001 6d 0001 69 0001 63 0001 68 00000002 00000003 00000001 73 00000001 61"
    )


def test_group_metadata_of_older_versions_is_read() -> None:
    """Version 1: no state timestamp, no instance ids; version 0: no rebalance timeout either (the session's counts)."""
    head = "0001 63 00000009 0001 70 0001 6d 00000001"
    old = decode_group_metadata(bytes.fromhex(f"0000 {head} 0001 6d 0000 0000 00000003 00000000 00000000"))
    assert (old.state_since_ms, old.members[0].rebalance_timeout_ms, old.members[0].instance_id) == (-1, 3, None)
    newer = decode_group_metadata(bytes.fromhex(f"0001 {head} 0001 6d 0000 0000 00000002 00000003 00000000 00000000"))
    assert (newer.members[0].rebalance_timeout_ms, newer.members[0].session_timeout_ms) == (2, 3)


@given(NAMES, NAMES, INT32)
def test_keys_round_trip(group: str, topic: str, partition: int) -> None:
    """Both kinds of key come back as they were."""
    assert decode_key(OffsetKey(group, topic, partition).encode()) == OffsetKey(group, topic, partition)
    assert decode_key(GroupKey(group).encode()) == GroupKey(group)


@given(COMMITTED)
def test_committed_offsets_round_trip(value: CommittedOffset) -> None:
    """An offset comes back as it was."""
    assert decode_committed_offset(value.encode()) == value


@given(GROUPS)
def test_group_metadata_round_trips(group: GroupMetadata) -> None:
    """A group comes back as it was."""
    assert decode_group_metadata(group.encode()) == group


@given(GROUPS, st.data())
def test_truncated_group_metadata_is_refused(group: GroupMetadata, data: st.DataObject) -> None:
    """Cut anywhere, it is an JournalRecordError and never a wrong group."""
    encoded = group.encode()
    with pytest.raises(JournalRecordError):
        decode_group_metadata(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


def test_key_of_a_later_kind_is_skipped() -> None:
    """A newer broker's records must not stop an older one."""
    assert decode_key(bytes.fromhex("0011 0001 67")) is None


def test_value_of_a_later_version_names_what_is_read() -> None:
    """It cannot be skipped: an offset would silently be lost."""
    with pytest.raises(JournalRecordError, match="version 4; this broker reads 0 to 3"):
        decode_committed_offset(bytes.fromhex("0004"))
