"""A consumer group's records: Kafka's bytes, and a group that comes back out of them."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.consumer_groups import persisted, record_value
from broker.consumer_groups.member import ClassicSide, MemberState, Profile, Progress
from broker.consumer_groups.record_key import EPOCH, PROGRESS, ConsumerGroupKey, decode_consumer_group_key
from broker.groups.member import Protocol
from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader
from tests.broker.consumer_groups.machine import ConsumerGroupMachine

TEXT = st.text(max_size=5)
PARTITIONS = st.frozensets(st.tuples(st.uuids(), st.integers(0, 2**31 - 1)), max_size=5)
INT32 = st.integers(-(2**31), 2**31 - 1)
PROFILES = st.builds(
    Profile,
    instance_id=st.none() | TEXT,
    rack_id=st.none() | TEXT,
    client_id=TEXT,
    client_host=TEXT,
    principal=TEXT,
    rebalance_timeout_ms=INT32,
    topics=st.frozensets(TEXT, max_size=3),
    regex=st.none() | TEXT,
    assignor=st.none() | TEXT,
    classic=st.none()
    | st.builds(
        ClassicSide,
        session_timeout_ms=INT32,
        protocols=st.lists(st.builds(Protocol, TEXT, st.binary(max_size=300)), max_size=2).map(tuple),
    ),
)
PROGRESSES = st.builds(
    Progress,
    epoch=INT32,
    previous_epoch=INT32,
    state=st.sampled_from(MemberState),
    assigned=PARTITIONS,
    revoking=PARTITIONS,
)


def test_keys_are_kafkas() -> None:
    """ConsumerGroupMetadataKey and ConsumerGroupCurrentMemberAssignmentKey."""
    assert ConsumerGroupKey("g", EPOCH).encode() == bytes.fromhex("0003 0001 67")
    assert ConsumerGroupKey("g", PROGRESS, "m").encode() == bytes.fromhex("0008 0001 67 0001 6d")


def test_values_are_kafkas() -> None:
    topic = UUID(int=1)
    assert record_value.encode_epoch(3, 0) == bytes.fromhex("0000 00000003 00")
    assert record_value.encode_epoch(3, 5) == bytes.fromhex("0000 00000003 01 00 08 0000000000000005")
    assert record_value.encode_target_epoch(3) == bytes.fromhex("0000 00000003 00")
    assert record_value.encode_target(frozenset({(topic, 2)})) == bytes.fromhex(
        "0000 02" + topic.hex + "02 00000002 00 00"
    )
    progress = Progress(epoch=2, previous_epoch=1, state=MemberState.UNREVOKED, revoking=frozenset({(topic, 0)}))
    assert record_value.encode_progress(progress) == bytes.fromhex(
        "0000 00000002 00000001 01 01 02" + topic.hex + "02 00000000 00 00"
    )
    profile = Profile(client_id="c", client_host="h", rebalance_timeout_ms=7, topics=frozenset({"t"}))
    assert record_value.encode_profile(profile) == bytes.fromhex("0000 00 00 0263 0268 020274 00 00000007 00 00")


@given(PROFILES)
def test_profile_comes_back(profile: Profile) -> None:
    assert record_value.decode_profile(record_value.encode_profile(profile)) == profile


@given(PROGRESSES)
def test_progress_comes_back(progress: Progress) -> None:
    assert record_value.decode_progress(record_value.encode_progress(progress)) == progress


@given(PARTITIONS, INT32, st.integers(-(2**63), 2**63 - 1))
def test_target_and_epochs_come_back(target: frozenset[tuple[UUID, int]], epoch: int, hashed: int) -> None:
    assert record_value.decode_target(record_value.encode_target(target)) == target
    assert record_value.decode_target_epoch(record_value.encode_target_epoch(epoch)) == epoch
    assert record_value.decode_epoch(record_value.encode_epoch(epoch, hashed)) == (epoch, hashed)


@given(PROGRESSES, st.data())
def test_damaged_progress_is_told(progress: Progress, data: st.DataObject) -> None:
    whole = record_value.encode_progress(progress)
    cut = data.draw(st.integers(0, len(whole) - 2))
    with pytest.raises(JournalRecordError):
        record_value.decode_progress(whole[:cut])


def test_group_comes_back_in_the_middle_of_a_rebalance() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a", instance="i")
    machine.join("b")
    machine.beat("a", hold=True)
    machine.restart()
    assert machine.group.members["a"].progress.state is MemberState.UNREVOKED
    machine.clients["a"].owned = machine.clients["a"].told
    machine.settle()
    assert (len(machine.owned("a")), len(machine.owned("b")), machine.state) == (2, 2, "Stable")


def test_time_to_give_up_starts_anew_after_a_restart() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    machine.beat("a", hold=True)
    machine.restart()
    for _ in range(30):
        machine.beat("a", hold=True)
        machine.beat("b")
        machine.advance(1_000)
    assert list(machine.group.members) == ["b"]


def test_sessions_start_anew_after_a_restart() -> None:
    machine = ConsumerGroupMachine(t=1)
    machine.join("a")
    machine.advance(40_000)
    machine.restart()
    machine.advance(44_999)
    assert list(machine.group.members) == ["a"]
    machine.advance(1)
    assert machine.group.members == {}


def test_restart_does_not_count_as_a_change_of_topics() -> None:
    machine = ConsumerGroupMachine(t=1)
    machine.join("a")
    machine.restart()
    machine.settle()
    assert machine.group.epoch == 2


def test_tombstones_name_everything_that_was_written() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    machine.settle()
    written = {key for key, _ in machine.log}
    assert {key for key, value in persisted.tombstones(machine.group) if value is None} == written


def test_keys_come_back() -> None:
    for key in (ConsumerGroupKey("g", EPOCH), ConsumerGroupKey("g", PROGRESS, "m")):
        reader = FieldReader(key.encode())
        assert decode_consumer_group_key(reader.int16(), reader) == key
