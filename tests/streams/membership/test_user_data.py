"""What members tell each other survives the trip, and what they cannot read is named."""

from __future__ import annotations

import zlib
from contextlib import suppress

import msgspec
import pytest
from confluent_kafka import Consumer
from hypothesis import given
from hypothesis import strategies as st
from kio.schema.consumer_protocol_assignment.v0.data import ConsumerProtocolAssignment as NarrowAssignment
from kio.schema.consumer_protocol_assignment.v3.data import ConsumerProtocolAssignment
from kio.schema.consumer_protocol_subscription.v0.data import ConsumerProtocolSubscription
from kio.serial import entity_reader

from streams.plan.task_id import TaskId
from streams.runtime.membership import MemberView, UserDataError
from streams.runtime.membership.group_metadata import encode_group_metadata
from streams.runtime.membership.user_data import (
    Assignment,
    Subscription,
    decode_assignment,
    decode_subscription,
    encode_assignment,
    encode_subscription,
)
from streams.wire import schema
from tests.streams.membership.universes import tasks

task_ids = st.builds(TaskId, st.integers(0, 40), st.integers(0, 5_000))
task_sets = st.frozensets(task_ids, max_size=20)
texts = st.text(max_size=20)
subscriptions = st.builds(
    Subscription,
    process_id=texts,
    host=texts,
    state_dir=texts,
    endpoint=st.none() | texts,
    generation=st.integers(-1, 2**31 - 1),
    held=task_sets,
    leaving=task_sets,
    lags=st.dictionaries(task_ids, st.integers(0, 2**62), max_size=20),
    standbys=task_sets,
    tags=st.dictionaries(texts, texts, max_size=5),
)
views = st.builds(
    MemberView,
    member_id=texts,
    tasks=task_sets,
    endpoint=st.none() | texts,
    host=texts,
    instance_id=st.none() | texts,
    standbys=task_sets,
)
assignments = st.builds(
    Assignment,
    generation=st.integers(0, 2**31 - 1),
    tasks=task_sets,
    withdrawn=task_sets,
    members=st.lists(views, max_size=4).map(tuple),
    moving=st.booleans(),
    standbys=task_sets,
    warming=task_sets,
)


@given(subscriptions)
def test_subscription_round_trip(subscription: Subscription) -> None:
    assert decode_subscription(encode_subscription(subscription, ["in"]), sender="m") == subscription


@given(assignments)
def test_assignment_round_trip(assignment: Assignment) -> None:
    assert decode_assignment(encode_assignment(assignment, [("in", 0)])) == assignment


def test_subscription_is_kafkas_with_all_topics() -> None:
    data = encode_subscription(Subscription(process_id="p", lags={}), ["b", "a"])
    assert data[:2] == b"\0\0"
    envelope, size = entity_reader(ConsumerProtocolSubscription)(data[2:], 0)
    assert envelope.topics == ("a", "b")
    assert size == len(data) - 2


def test_assignment_is_kafkas_with_the_inputs_by_topic() -> None:
    assignment = Assignment(generation=1, tasks=tasks("0_1"), withdrawn=tasks(), members=())
    data = encode_assignment(assignment, [("b", 1), ("a", 3), ("a", 1)])
    envelope, _ = entity_reader(ConsumerProtocolAssignment)(data[2:], 0)
    assert [(place.topic, place.partitions) for place in envelope.assigned_partitions] == [("a", (1, 3)), ("b", (1,))]


@pytest.mark.parametrize("version", [2, 300, 2**40])
def test_subscription_of_a_newer_version_names_sender_and_cure(version: int) -> None:
    user_data = msgspec.msgpack.encode(version) + b"anything at all"
    envelope = b"\0\0" + schema.encode(ConsumerProtocolSubscription(topics=(), user_data=user_data))
    with pytest.raises(UserDataError, match=f"slot-3 speaks version {version} .* upgrade this worker"):
        decode_subscription(envelope, sender="slot-3")


@pytest.mark.parametrize("user_data", [None, b""])
def test_subscription_of_a_plain_consumer_is_told_apart(user_data: bytes | None) -> None:
    envelope = b"\0\0" + schema.encode(ConsumerProtocolSubscription(topics=("in",), user_data=user_data))
    with pytest.raises(UserDataError, match="no headrace worker"):
        decode_subscription(envelope, sender="m")


@given(st.binary(max_size=60))
def test_subscription_of_any_bytes_decodes_or_is_refused(data: bytes) -> None:
    with suppress(UserDataError):
        decode_subscription(data, sender="m")


@given(st.binary(max_size=60))
def test_user_data_of_any_bytes_decodes_or_is_refused(data: bytes) -> None:
    envelope = b"\0\0" + schema.encode(ConsumerProtocolSubscription(topics=(), user_data=b"\x01" + data))
    with suppress(UserDataError):
        decode_subscription(envelope, sender="m")


def test_subscription_with_a_field_more_is_read() -> None:
    """Fields may be added at the end of a version."""
    body = msgspec.msgpack.encode(
        ["p", "h", "d", None, 3, {0: [1]}, {}, {}, None, {}, {"zone": "x"}, "from the future"]
    )
    envelope = b"\0\0" + schema.encode(ConsumerProtocolSubscription(topics=(), user_data=b"\x01" + body))
    told = decode_subscription(envelope, sender="m")
    assert (told.held, told.tags) == (tasks("0_1"), {"zone": "x"})


def test_subscription_of_a_worker_without_standbys_is_read() -> None:
    body = msgspec.msgpack.encode(["p", "h", "d", None, 3, {0: [1]}, {}, {0: {2: 5}}])
    envelope = b"\0\0" + schema.encode(ConsumerProtocolSubscription(topics=(), user_data=b"\x01" + body))
    told = decode_subscription(envelope, sender="m")
    assert (told.held, told.lags, told.standbys, told.tags) == (tasks("0_1"), {TaskId(0, 2): 5}, tasks(), {})


def test_assignment_of_a_leader_without_standbys_is_read() -> None:
    body = msgspec.msgpack.encode([4, {0: [1]}, {}, [["m", None, "h", None, {0: [1]}]], False])
    user_data = b"\x01" + zlib.compress(body)
    data = b"\0\0" + schema.encode(schema.fill(NarrowAssignment, {"assigned_partitions": (), "user_data": user_data}))
    told = decode_assignment(data)
    assert (told.tasks, told.standbys, told.members[0].standbys) == (tasks("0_1"), tasks(), tasks())


def test_assignment_of_a_large_group_stays_well_below_a_record_batch() -> None:
    """Every member's assignment describes all members, and all go into one record: 1 MiB by default."""
    groups = [frozenset(TaskId(sub, p) for sub in range(4) for p in range(m, 500, 50)) for m in range(50)]
    members = tuple(
        MemberView(
            member_id=f"app-host-{m}-6f1c0c3e-{m:04}-4d5f-9f6e-1234567890ab",
            tasks=held,
            endpoint=f"host-{m}:8080",
            host=f"host-{m}",
            instance_id=f"app-host-{m}",
        )
        for m, held in enumerate(groups)
    )
    one = encode_assignment(
        Assignment(generation=1, tasks=groups[0], withdrawn=frozenset(), members=members),
        [(f"topic-{t.subtopology}", t.partition) for t in groups[0]],
    )
    assert len(one) * len(members) < 500_000


@pytest.mark.parametrize("instance_id", [None, "slot-1"])
def test_group_metadata_has_librdkafkas_private_form(instance_id: str | None) -> None:
    """What librdkafka writes for a consumer that has not joined. If this fails, its form has changed."""
    config = {"group.id": "my-group", "bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    if instance_id is not None:
        config["group.instance.id"] = instance_id
    consumer = Consumer(config)
    theirs = consumer.consumer_group_metadata()
    consumer.close()
    assert bytes(theirs) == encode_group_metadata(
        group_id="my-group", generation=-1, member_id="", instance_id=instance_id
    )


def test_group_metadata_generation_is_little_endian() -> None:
    encoded = encode_group_metadata(group_id="g", generation=258, member_id="m-1", instance_id="i")
    assert encoded == b"CGMDv2:\x02\x01\0\0g\0m-1\0\0i\0"
