"""The group APIs on the wire, in every version they are served in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire
from tests.cluster import elsewhere

METADATA = 3
FIND_COORDINATOR, JOIN, HEARTBEAT, LEAVE, SYNC, DESCRIBE, LIST, COMMIT, FETCH, DELETE, OFFSET_DELETE = (
    10, 11, 12, 13, 14, 15, 16, 8, 9, 42, 47,
)  # fmt: skip

SUBSCRIPTION = b"\x00\x00" + b"\x00\x00\x00\x01" + b"\x00\x05other" + b"\x00\x00\x00\x00"
"""To the topic "other". Apache Kafka insists that a consumer's metadata is a subscription: else its join never ends."""


@pytest.fixture
def client(servers: str) -> Iterator[WireClient]:
    with wire(servers) as connected:
        yield connected


def join_fields(group: str, member_id: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "group_id": group,
        "session_timeout": timedelta(seconds=10),
        "rebalance_timeout": timedelta(seconds=10),
        "member_id": member_id,
        "protocol_type": "consumer",
        "protocols": [{"name": "range", "metadata": SUBSCRIPTION}],
        **fields,
    }


def join_alone(client: WireClient, group: str, version: int = 5, **fields: Any) -> Any:
    """Joins a group that has no other member; returns the successful answer."""
    joined = client.ask(JOIN, version, **join_fields(group, **fields))
    if joined.error_code is ErrorCode.member_id_required:
        joined = client.ask(JOIN, version, **join_fields(group, joined.member_id, **fields))
    assert joined.error_code is ErrorCode.none
    return joined


def stable_alone(client: WireClient, group: str, version: int = 5, **fields: Any) -> Any:
    joined = join_alone(client, group, version, **fields)
    synced = client.ask(
        SYNC,
        3,
        group_id=group,
        generation_id=joined.generation_id,
        member_id=joined.member_id,
        assignments=[{"member_id": joined.member_id, "assignment": b"mine"}],
    )
    assert (synced.error_code, synced.assignment) == (ErrorCode.none, b"mine")
    return joined


def commit_fields(
    group: str, topic: str, offset: int, joined: Any = None, metadata: str | None = "m"
) -> dict[str, Any]:
    line = {
        "partition_index": 0,
        "committed_offset": offset,
        "committed_leader_epoch": 4,
        "committed_metadata": metadata,
    }
    return {
        "group_id": group,
        "generation_id_or_member_epoch": -1 if joined is None else joined.generation_id,
        "member_id": "" if joined is None else joined.member_id,
        "topics": [{"name": topic, "partitions": [line]}],
    }


@pytest.mark.parametrize("version", range(7))
def test_find_coordinator_answers_this_broker(client: WireClient, servers: str, version: int) -> None:
    """For groups and transactions, singly and batched."""
    answer = client.ask(FIND_COORDINATOR, version, key="g", key_type=0, coordinator_keys=["g", "h"])
    found = answer.coordinators if version >= 4 else (answer,)
    assert {(c.error_code, f"{c.host}:{c.port}") for c in found} == {(ErrorCode.none, servers)}
    assert len(found) == (2 if version >= 4 else 1)


def test_find_coordinator_refuses_unknown_key_types(client: WireClient) -> None:
    """Share groups (type 2) are not served."""
    (answer,) = client.ask(FIND_COORDINATOR, 6, key_type=2, coordinator_keys=["g"]).coordinators
    assert answer.error_code is ErrorCode.invalid_request


@pytest.mark.parametrize("version", range(10))
def test_join_group_alone_leads(client: WireClient, group: str, version: int) -> None:
    """Every version gets a generation, itself as leader and the roster; from 4 on, an id first."""
    first = client.ask(JOIN, version, **join_fields(group))
    assert (first.error_code is ErrorCode.member_id_required) == (version >= 4)
    assert first.member_id.startswith("wire-")
    joined = join_alone(client, group, version, member_id=first.member_id)
    assert (joined.generation_id, joined.leader, joined.protocol_name) == (1, first.member_id, "range")
    assert [(m.member_id, m.metadata) for m in joined.members] == [(first.member_id, SUBSCRIPTION)]
    assert getattr(joined, "protocol_type", "consumer") == "consumer"


@pytest.mark.parametrize("version", range(10))
def test_join_group_refused_is_well_formed(client: WireClient, group: str, version: int) -> None:
    """An unknown member: no protocol (null only where the version allows it), no leader, generation -1."""
    refused = client.ask(JOIN, version, **join_fields(group, "stranger"))
    assert refused.error_code is ErrorCode.unknown_member_id
    assert (refused.generation_id, refused.leader, refused.members) == (-1, "", ())
    assert refused.protocol_name == (None if version >= 7 else "")


def test_join_group_checks_group_and_session(client: WireClient, group: str) -> None:
    """INVALID_GROUP_ID and INVALID_SESSION_TIMEOUT."""
    assert client.ask(JOIN, 5, **join_fields("")).error_code is ErrorCode.invalid_group_id
    for session in (timedelta(milliseconds=1), timedelta(hours=1)):
        refused = client.ask(JOIN, 5, **join_fields(group, session_timeout=session))
        assert refused.error_code is ErrorCode.invalid_session_timeout


def test_join_group_static_member_is_named_after_its_instance(client: WireClient, group: str) -> None:
    """The id tells an operator which instance it is; no MEMBER_ID_REQUIRED round."""
    joined = client.ask(JOIN, 5, **join_fields(group, group_instance_id="i1"))
    assert joined.error_code is ErrorCode.none
    assert joined.member_id.startswith("i1-")


def test_join_group_keeps_large_metadata(client: WireClient, group: str) -> None:
    """Metadata and assignments are opaque and may be large; they are what DescribeGroups shows, byte for byte.

    Apache Kafka ends at a record of 1 MB for the whole group, this broker at 100.
    """
    metadata = bytes(range(256)) * (1_600 if elsewhere() else 16_000)
    joined = join_alone(
        client, group, protocols=[{"name": "custom", "metadata": metadata}], protocol_type="custom-type"
    )
    assert joined.members[0].metadata == metadata
    client.ask(
        SYNC, 3, group_id=group, generation_id=1, member_id=joined.member_id,
        assignments=[{"member_id": joined.member_id, "assignment": metadata}],
    )  # fmt: skip
    (described,) = client.ask(DESCRIBE, 5, groups=[group]).groups
    assert (described.protocol_type, described.protocol_data) == ("custom-type", "custom")
    (member,) = described.members
    assert (member.member_metadata, member.member_assignment) == (metadata, metadata)


@pytest.mark.parametrize("version", range(6))
def test_sync_group_hands_out_the_assignment(client: WireClient, group: str, version: int) -> None:
    """And refuses a wrong generation, a stranger and (v5) another protocol."""
    joined = join_alone(client, group)
    fields: dict[str, Any] = {
        "group_id": group,
        "generation_id": 1,
        "member_id": joined.member_id,
        "protocol_type": "consumer",
        "protocol_name": "range",
        "assignments": [{"member_id": joined.member_id, "assignment": b"mine"}],
    }
    ask = lambda **changes: client.ask(SYNC, version, **{**fields, **changes})  # noqa: E731
    assert ask(generation_id=2).error_code is ErrorCode.illegal_generation
    assert ask(member_id="stranger").error_code is ErrorCode.unknown_member_id
    assert ask(group_id="nowhere").error_code is ErrorCode.unknown_member_id
    if version >= 5:
        assert ask(protocol_name="sticky").error_code is ErrorCode.inconsistent_group_protocol
    synced = ask()
    assert (synced.error_code, synced.assignment) == (ErrorCode.none, b"mine")
    assert getattr(synced, "protocol_name", "range") == "range"


@pytest.mark.parametrize("version", range(5))
def test_heartbeat_answers(client: WireClient, group: str, version: int) -> None:
    """None, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID."""
    joined = stable_alone(client, group)
    ask = lambda **f: client.ask(HEARTBEAT, version, **{"group_id": group, "generation_id": 1, **f})  # noqa: E731
    assert ask(member_id=joined.member_id).error_code is ErrorCode.none
    assert ask(member_id=joined.member_id, generation_id=9).error_code is ErrorCode.illegal_generation
    assert ask(member_id="stranger").error_code is ErrorCode.unknown_member_id
    assert ask(member_id="m", group_id="nowhere").error_code is ErrorCode.unknown_member_id


@pytest.mark.parametrize("version", range(6))
def test_leave_group_empties_the_group(client: WireClient, group: str, version: int) -> None:
    """Before v3 one member with its code on top; from v3 on a code each."""
    joined = stable_alone(client, group)
    leaving = [{"member_id": joined.member_id}, {"member_id": "stranger"}]
    answer = client.ask(LEAVE, version, group_id=group, member_id=joined.member_id, members=leaving)
    assert answer.error_code is ErrorCode.none
    if version >= 3:
        assert [m.error_code for m in answer.members] == [ErrorCode.none, ErrorCode.unknown_member_id]
    (described,) = client.ask(DESCRIBE, 5, groups=[group]).groups
    assert (described.group_state, described.members) == ("Empty", ())


@pytest.mark.parametrize("version", range(2, 10))
def test_offset_commit_round_trips(
    client: WireClient, make_topic: Callable[..., str], group: str, version: int
) -> None:
    """A simple commit, read back with the newest fetch; epochs from v6 on."""
    topic = make_topic(1)
    (line,) = client.ask(COMMIT, version, **commit_fields(group, topic, 42)).topics
    assert (line.name, line.partitions[0].error_code) == (topic, ErrorCode.none)
    (found,) = fetch(client, 9, group, topic)
    assert (found.committed_offset, found.metadata) == (42, "m")
    assert found.committed_leader_epoch == (4 if version >= 6 else -1)


@pytest.mark.parametrize("version", range(1, 10))
def test_offset_fetch_knows_and_does_not_know(
    client: WireClient, make_topic: Callable[..., str], group: str, version: int
) -> None:
    """Never committed, and a group that is not there: offset -1, epoch -1, metadata "", no error."""
    topic = make_topic(2)
    client.ask(COMMIT, 9, **commit_fields(group, topic, 42))
    known, unknown = fetch(client, version, group, topic, [0, 1])
    assert (known.committed_offset, known.metadata, known.error_code) == (42, "m", ErrorCode.none)
    assert (unknown.committed_offset, unknown.metadata, unknown.error_code) == (-1, "", ErrorCode.none)
    assert getattr(unknown, "committed_leader_epoch", -1) == -1
    (nowhere,) = fetch(client, version, "nowhere", topic)
    assert (nowhere.committed_offset, nowhere.metadata, nowhere.error_code) == (-1, "", ErrorCode.none)
    if version >= 2:
        assert [p.committed_offset for p in fetch(client, version, group, None)] == [42]


def fetch(
    client: WireClient, version: int, group: str, topic: str | None, partitions: list[int] | None = None
) -> tuple[Any, ...]:
    """The partitions of one topic, or of all the group has."""
    topics = None if topic is None else [{"name": topic, "partition_indexes": partitions or [0]}]
    answer = client.ask(FETCH, version, group_id=group, topics=topics, groups=[{"group_id": group, "topics": topics}])
    lines = answer.groups[0].topics if version >= 8 else answer.topics
    return tuple(partition for line in lines for partition in line.partitions)


def test_offset_commit_by_topic_id(client: WireClient, make_topic: Callable[..., str], group: str) -> None:
    """v10 names topics by id on both ways; an unknown id has its own error."""
    unknown_id = uuid4()
    topic = make_topic(1)
    topic_id = client.ask(
        3, 12, topics=[{"name": topic, "topic_id": None}], allow_auto_topic_creation=False
    ).topics[0].topic_id  # fmt: skip
    fields = commit_fields(group, topic, 5)
    fields["topics"] = [{**fields["topics"][0], "topic_id": known} for known in (topic_id, unknown_id)]
    codes = {t.topic_id: t.partitions[0].error_code for t in client.ask(COMMIT, 10, **fields).topics}
    assert codes == {topic_id: ErrorCode.none, unknown_id: ErrorCode.unknown_topic_id}
    asked = [{"topic_id": known, "partition_indexes": [0]} for known in (topic_id, unknown_id)]
    found = client.ask(FETCH, 10, groups=[{"group_id": group, "topics": asked}]).groups[0].topics
    assert {t.topic_id: (t.partitions[0].error_code, t.partitions[0].committed_offset) for t in found} == {
        topic_id: (ErrorCode.none, 5),
        unknown_id: (ErrorCode.unknown_topic_id, -1),
    }
    (line,) = client.ask(FETCH, 10, groups=[{"group_id": group, "topics": None}]).groups[0].topics
    assert line.topic_id == topic_id


def test_offset_commit_codes(client: WireClient, make_topic: Callable[..., str], group: str) -> None:
    """22, 25, 69 from v9, 3, 12, 82: each in its place."""
    topic = make_topic(1)

    def code(version: int, **changes: Any) -> ErrorCode:
        answer = client.ask(COMMIT, version, **{**commit_fields(group, topic, 1), **changes})
        return answer.topics[0].partitions[0].error_code

    in_generation = {"generation_id_or_member_epoch": 1, "member_id": "m"}
    assert code(8, **in_generation) is ErrorCode.illegal_generation
    assert code(9, **in_generation) is ErrorCode.group_id_not_found
    joined = join_alone(client, group, group_instance_id="i")
    mine = {"generation_id_or_member_epoch": 1, "member_id": joined.member_id}
    assert code(8, **mine) is ErrorCode.rebalance_in_progress
    successor = stable_alone(client, group, group_instance_id="i")
    mine = {"generation_id_or_member_epoch": successor.generation_id, "member_id": successor.member_id}
    assert code(8, **mine) is ErrorCode.none
    assert code(8, **{**mine, "generation_id_or_member_epoch": 77}) is ErrorCode.illegal_generation
    assert code(8, **{**mine, "member_id": "stranger"}) is ErrorCode.unknown_member_id
    assert code(8, **{**mine, "member_id": joined.member_id, "group_instance_id": "i"}) is ErrorCode.fenced_instance_id
    assert code(8) is ErrorCode.unknown_member_id
    assert code(8, **mine, topics=commit_fields(group, "no-such", 1)["topics"]) is ErrorCode.unknown_topic_or_partition
    long = commit_fields(group, topic, 1, metadata="x" * 4_097)["topics"]
    assert code(8, **mine, topics=long) is ErrorCode.offset_metadata_too_large
    longest = commit_fields(group, topic, 1, metadata="x" * 4_096)["topics"]
    assert code(8, **mine, topics=longest) is ErrorCode.none


@pytest.mark.parametrize("version", range(6))
def test_list_groups_filters(client: WireClient, make_topic: Callable[..., str], group: str, version: int) -> None:
    """By state from v4 on, by type from v5 on; simple groups are listed, too."""
    stable_alone(client, group)
    simple = f"{group}-simple"
    client.ask(COMMIT, 8, **commit_fields(simple, make_topic(1), 1))
    answer = client.ask(LIST, version)
    listed = {g.group_id: g for g in answer.groups}
    assert (listed[group].protocol_type, listed[simple].protocol_type) == ("consumer", "")
    if version >= 4:
        assert (listed[group].group_state, listed[simple].group_state) == ("Stable", "Empty")
        stable = {g.group_id for g in client.ask(LIST, version, states_filter=["stable"]).groups}
        assert (group in stable, simple in stable) == (True, False)
    if version >= 5:
        assert listed[group].group_type == "classic"
        others = {g.group_id for g in client.ask(LIST, version, types_filter=["consumer"]).groups}
        assert others.isdisjoint({group, simple})


@pytest.mark.parametrize("version", range(7))
def test_describe_groups_shows_members(client: WireClient, group: str, version: int) -> None:
    """Stable: protocol, metadata, assignment. A group that is not there is Dead, from v6 on with an error."""
    stable_alone(client, group, group_instance_id="i")
    answer = client.ask(DESCRIBE, version, groups=[group, "nowhere"], include_authorized_operations=True)
    here, nowhere = answer.groups
    assert (here.group_state, here.protocol_type, here.protocol_data) == ("Stable", "consumer", "range")
    (member,) = here.members
    assert (member.client_id, member.client_host) == ("wire", "/127.0.0.1")
    assert (member.member_metadata, member.member_assignment) == (SUBSCRIPTION, b"mine")
    assert getattr(member, "group_instance_id", "i") == "i"
    assert nowhere.group_state == "Dead"
    assert nowhere.error_code is (ErrorCode.group_id_not_found if version >= 6 else ErrorCode.none)


def test_empty_group_id_answers(client: WireClient, make_topic: Callable[..., str]) -> None:
    """It is no group to be a member of, but offsets may be committed under it (old clients do)."""
    nobody = {"group_id": "", "generation_id": 1, "member_id": "m"}
    assert client.ask(HEARTBEAT, 4, **nobody).error_code is ErrorCode.invalid_group_id
    assert client.ask(SYNC, 3, **nobody, assignments=[]).error_code is ErrorCode.invalid_group_id
    leaving = client.ask(LEAVE, 4, group_id="", members=[{"member_id": "m"}])
    assert leaving.error_code is ErrorCode.invalid_group_id
    topic = make_topic(1)
    assert client.ask(COMMIT, 8, **commit_fields("", topic, 3)).topics[0].partitions[0].error_code is ErrorCode.none
    assert fetch(client, 9, "", topic)[0].committed_offset == 3
    assert client.ask(DESCRIBE, 5, groups=[""]).groups[0].group_state == "Empty"
    assert client.ask(DELETE, 2, groups_names=[""]).results[0].error_code is ErrorCode.none


@pytest.mark.parametrize("version", range(3))
def test_delete_groups_answers(client: WireClient, make_topic: Callable[..., str], group: str, version: int) -> None:
    """Empty ones go with their offsets; others stay."""
    topic = make_topic(1)
    stable_alone(client, group)
    client.ask(COMMIT, 8, **commit_fields(f"{group}-simple", topic, 1))
    names = [group, f"{group}-simple", "nowhere", ""]
    answer = client.ask(DELETE, version, groups_names=names)
    assert {r.group_id: r.error_code for r in answer.results} == {
        group: ErrorCode.non_empty_group,
        f"{group}-simple": ErrorCode.none,
        "nowhere": ErrorCode.group_id_not_found,
        "": ErrorCode.group_id_not_found,
    }
    assert fetch(client, 9, f"{group}-simple", topic)[0].committed_offset == -1


def test_offset_delete_spares_subscribed_topics(client: WireClient, make_topic: Callable[..., str], group: str) -> None:
    """GROUP_SUBSCRIBED_TO_TOPIC for what is read, gone for the rest."""
    read, left = make_topic(1), make_topic(1)
    encoded = read.encode()
    metadata = b"\x00\x00\x00\x00\x00\x01" + len(encoded).to_bytes(2, "big") + encoded + b"\x00\x00\x00\x00"
    joined = stable_alone(client, group, protocols=[{"name": "range", "metadata": metadata}])
    for topic in (read, left):
        client.ask(COMMIT, 8, **commit_fields(group, topic, 1, joined))
    lines = [{"name": topic, "partitions": [{"partition_index": 0}]} for topic in (read, left)]
    answer = client.ask(OFFSET_DELETE, 0, group_id=group, topics=lines)
    assert [t.partitions[0].error_code for t in answer.topics] == [ErrorCode.group_subscribed_to_topic, ErrorCode.none]
    assert [fetch(client, 9, group, topic)[0].committed_offset for topic in (read, left)] == [1, -1]
    assert client.ask(OFFSET_DELETE, 0, group_id="nowhere", topics=[]).error_code is ErrorCode.group_id_not_found


def test_offset_delete_tells_unknown_partitions_from_known_ones(
    client: WireClient, make_topic: Callable[..., str], group: str
) -> None:
    """UNKNOWN_TOPIC_OR_PARTITION; of a topic that is there and named without partitions nothing is told."""
    topic, other = make_topic(1), make_topic(1)
    client.ask(COMMIT, 8, **commit_fields(group, topic, 1))
    lines = [
        {"name": topic, "partitions": [{"partition_index": 0}, {"partition_index": 1}]},
        {"name": other, "partitions": []},
        {"name": "nowhere", "partitions": [{"partition_index": 0}]},
    ]
    answer = client.ask(OFFSET_DELETE, 0, group_id=group, topics=lines)
    told = {(t.name, line.partition_index): line.error_code for t in answer.topics for line in t.partitions}
    assert told == {
        (topic, 0): ErrorCode.none,
        (topic, 1): ErrorCode.unknown_topic_or_partition,
        ("nowhere", 0): ErrorCode.unknown_topic_or_partition,
    }
    assert {t.name for t in answer.topics} == {topic, "nowhere"}
    assert fetch(client, 9, group, topic)[0].committed_offset == -1


def test_join_group_of_a_closed_connection_leaves_the_group_in_order(servers: str, group: str) -> None:
    """A client hangs up in the middle of its join: the others' generation comes as if it were slow, then without it."""
    with wire(servers) as first:
        joined = stable_alone(first, group)
        with wire(servers) as second:
            second.send(JOIN, 3, **join_fields(group, session_timeout=timedelta(seconds=2)))
            beat = {"group_id": group, "generation_id": 1, "member_id": joined.member_id}
            while first.ask(HEARTBEAT, 3, **beat).error_code is ErrorCode.none:
                pass
        again = first.ask(JOIN, 5, **join_fields(group, joined.member_id))
        assert (again.generation_id, len(again.members)) == (2, 2)


@pytest.mark.parametrize(("key_type", "name"), [(0, "__consumer_offsets"), (1, "__transaction_state")])
def test_find_coordinator_makes_the_topic_of_the_coordinator(key_type: int, name: str) -> None:
    """As in Kafka: clients look for it before anything is written there."""
    asked = {"topics": None, "allow_auto_topic_creation": False, "include_topic_authorized_operations": False}
    with Broker() as broker, wire(broker.bootstrap_servers) as connected:
        assert connected.ask(METADATA, 12, **asked).topics == ()
        answer = connected.ask(FIND_COORDINATOR, 4, key_type=key_type, coordinator_keys=("k",))
        assert answer.coordinators[0].error_code is ErrorCode.none
        (topic,) = connected.ask(METADATA, 12, **asked).topics
        assert (topic.name, topic.is_internal) == (name, True)
