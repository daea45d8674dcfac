"""The APIs of consumer groups on the wire, and the others where a consumer group makes a difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from kio.schema.errors import ErrorCode

from tests.broker.consumer_groups.member import DESCRIBE, WireMember, settle
from tests.broker.groups.test_group_handlers import (
    COMMIT,
    DELETE,
    FETCH,
    JOIN,
    LIST,
    OFFSET_DELETE,
    join_alone,
    join_fields,
    stable_alone,
)
from tests.broker.groups.test_group_handlers import DESCRIBE as DESCRIBE_CLASSIC
from tests.broker.groups.waits import wait_until
from tests.broker.groups.wire import WireClient, wire
from tests.cluster import elsewhere

API_VERSIONS, TXN_COMMIT, INIT_PRODUCER_ID, ADD_OFFSETS = 18, 28, 22, 25
DESCRIBE_CONFIGS, ALTER_CONFIGS, INCREMENTAL = 32, 33, 44
GROUP_RESOURCE = 32
OK = ErrorCode.none
MakeTopic = Callable[..., str]
kafka = pytest.mark.skipif(bool(elsewhere()), reason="Apache Kafka does otherwise")


def listed(client: WireClient, group: str, **filters: Any) -> Any:
    """The line of a group in ListGroups, None without one."""
    answer = client.ask(LIST, 5, **{"states_filter": (), "types_filter": (), **filters})
    return next((line for line in answer.groups if line.group_id == group), None)


def describe(client: WireClient, group: str, version: int = 1, **fields: Any) -> Any:
    return client.ask(DESCRIBE, version, group_ids=(group,), **fields).groups[0]


def commit(client: WireClient, member: WireMember, topic: str, version: int = 9, **fields: Any) -> ErrorCode:
    answer = client.ask(
        COMMIT,
        version,
        **{
            "group_id": member.group,
            "generation_id_or_member_epoch": member.epoch,
            "member_id": member.member_id,
            "group_instance_id": None,
            "topics": [
                {
                    "name": topic,
                    "partitions": [
                        {
                            "partition_index": 0,
                            "committed_offset": 5,
                            "committed_leader_epoch": -1,
                            "committed_metadata": "",
                        }
                    ],
                }
            ],
            **fields,
        },
    )
    return answer.topics[0].partitions[0].error_code


def fetch(client: WireClient, group: str, topic: str, member_id: str | None, epoch: int) -> tuple[ErrorCode, int]:
    """The group's error and the committed offset of partition 0."""
    answer = client.ask(
        FETCH,
        9,
        groups=[
            {
                "group_id": group,
                "member_id": member_id,
                "member_epoch": epoch,
                "topics": [{"name": topic, "partition_indexes": [0]}],
            }
        ],
        require_stable=False,
    ).groups[0]
    offset = answer.topics[0].partitions[0].committed_offset if answer.topics else -2
    return answer.error_code, offset


# -- the protocol ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", [0, 1])
def test_members_join_share_and_leave(client: WireClient, group: str, make_topic: MakeTopic, version: int) -> None:
    topic = make_topic(4)
    a = WireMember(client, group, [topic])
    settle(a)
    epoch = a.epoch
    assert a.count == 4
    b = WireMember(client, group, [topic])
    settle(b, a)
    assert (a.epoch, a.count, b.epoch, b.count) == (epoch + 1, 2, epoch + 1, 2)
    answer = b.ask(version, member_epoch=-1)
    assert (answer.error_code, answer.member_epoch, answer.assignment) == (OK, -1, None)
    settle(a)
    assert (a.epoch, a.count) == (epoch + 2, 4)


def test_member_without_an_id_is_given_one_by_version_0_only(
    client: WireClient, group: str, make_topic: MakeTopic
) -> None:
    member = WireMember(client, group, [make_topic(1)], member_id="")
    fields = {**member.fields, "topic_partitions": []}
    given = member.ask(0, **fields).member_id
    assert given
    refused = member.ask(1, **fields)
    assert (refused.error_code, refused.error_message) == (ErrorCode.invalid_request, "MemberId can't be empty.")


def test_heartbeat_of_a_group_that_is_not_there_is_refused(client: WireClient, group: str) -> None:
    member = WireMember(client, group, ["t"])
    member.epoch = 3
    assert member.beat() is ErrorCode.group_id_not_found
    assert member.leave() is ErrorCode.group_id_not_found
    assert listed(client, group) is None


def test_answer_tells_when_to_come_back(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    a = WireMember(client, group, [make_topic(1)])
    answer = a.ask(**a.fields, topic_partitions=[])
    assert timedelta(0) < answer.heartbeat_interval <= timedelta(seconds=5)


def test_assignor_by_name(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topics = [make_topic(2), make_topic(2)]
    a, b = (WireMember(client, group, topics, server_assignor="range", member_id=name) for name in ("a", "b"))
    settle(a, b)
    assert [list(member.owned.values()) for member in (a, b)] == [[[0], [0]], [[1], [1]]]
    assert describe(client, group).assignor_name == "range"
    bad = WireMember(client, group, topics, server_assignor="sticky")
    assert bad.beat() is ErrorCode.unsupported_assignor


def test_regex_subscribes_by_whole_names(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    prefix = f"re-{group}"
    make_topic(2, prefix=prefix)
    member = WireMember(client, group, [], subscribed_topic_regex=prefix)
    settle(member)
    assert member.count == 0
    member = WireMember(client, f"{group}-2", [], subscribed_topic_regex=f"{prefix}.*")
    for _ in range(100):
        member.beat()
        if member.count == 2:
            break
    assert member.count == 2
    bad = WireMember(client, group, None, subscribed_topic_regex="(a")
    assert bad.beat() is ErrorCode.invalid_regular_expression


def test_static_member_is_replaced_when_it_said_so(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(2)
    a = WireMember(client, group, [topic], instance_id="i")
    settle(a)
    b = WireMember(client, group, [topic], instance_id="i")
    assert b.beat() is ErrorCode.unreleased_instance_id
    assert a.leave(-2) is OK
    assert b.beat() is OK
    assert (b.count, b.epoch) == (2, a.epoch)
    assert a.beat() is ErrorCode.fenced_instance_id
    assert describe(client, group).group_epoch == a.epoch


def test_fenced_member_comes_back_to_its_place(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    a = WireMember(client, group, [make_topic(2)])
    settle(a)
    epoch = a.epoch
    a.epoch += 5
    assert a.beat() is ErrorCode.fenced_member_epoch
    a.epoch, a.owned = 0, {}
    assert a.beat() is OK
    assert (a.count, a.epoch) == (2, epoch)


# -- administration ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", [0, 1])
def test_describe_shows_members_and_their_targets(
    client: WireClient, group: str, make_topic: MakeTopic, version: int
) -> None:
    topic = make_topic(2)
    a = WireMember(client, group, [topic], instance_id="i", rack_id="r", member_id="a")
    settle(a)
    b = WireMember(client, group, [topic], member_id="b")
    b.beat()
    found = describe(client, group, version, include_authorized_operations=True)
    assert (found.error_code, found.group_state, found.group_epoch) == (OK, "Reconciling", a.epoch + 1)
    assert (found.assignment_epoch, found.assignor_name) == (a.epoch + 1, "uniform")
    assert found.authorized_operations & (1 << 3 | 1 << 8) == (1 << 3 | 1 << 8)
    first, second = sorted(found.members, key=lambda member: member.member_id)
    assert (first.instance_id, first.rack_id, first.member_epoch, first.client_id) == ("i", "r", a.epoch, "wire")
    assert list(first.subscribed_topic_names) == [topic]
    (line,) = first.assignment.topic_partitions
    assert (line.topic_name, line.topic_id, sorted(line.partitions)) == (topic, *next(iter(a.owned.items())))
    assert len(first.target_assignment.topic_partitions[0].partitions) == 1
    assert second.assignment.topic_partitions == ()
    assert len(second.target_assignment.topic_partitions[0].partitions) == 1
    if version >= 1:
        assert (first.member_type, second.member_type) == (1, 1)


def test_describe_knows_the_kinds_apart(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    classic = f"{group}-classic"
    join_alone(client, classic)
    settle(WireMember(client, group, [make_topic(1)]))
    missing = describe(client, f"{group}-none")
    assert (missing.error_code, missing.error_message) == (
        ErrorCode.group_id_not_found,
        f"Group {group}-none not found.",
    )
    other = describe(client, classic)
    assert (other.error_code, other.error_message) == (
        ErrorCode.group_id_not_found,
        f"Group {classic} is not a consumer group.",
    )
    old = client.ask(DESCRIBE_CLASSIC, 5, groups=(group,)).groups[0]
    assert (old.error_code, old.group_state, old.members) == (OK, "Dead", ())
    new = client.ask(DESCRIBE_CLASSIC, 6, groups=(group,)).groups[0]
    assert (new.error_code, new.group_state) == (ErrorCode.group_id_not_found, "Dead")
    assert new.error_message == f"Group {group} is not a classic group."


def test_list_tells_type_and_state(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    member = WireMember(client, group, [make_topic(1)])
    settle(member)
    line = listed(client, group)
    assert (line.group_type, line.group_state, line.protocol_type) == ("consumer", "Stable", "consumer")
    assert listed(client, group, types_filter=("Consumer",), states_filter=("stable",)) is not None
    assert listed(client, group, types_filter=("classic",)) is None
    assert listed(client, group, states_filter=("Empty",)) is None
    member.leave()
    assert listed(client, group).group_state == "Empty"


def test_delete_takes_empty_groups_only(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    member = WireMember(client, group, [topic])
    settle(member)
    assert commit(client, member, topic) is OK
    assert client.ask(DELETE, 2, groups_names=(group,)).results[0].error_code is ErrorCode.non_empty_group
    member.leave()
    assert client.ask(DELETE, 2, groups_names=(group,)).results[0].error_code is OK
    assert listed(client, group) is None
    assert fetch(client, group, topic, None, -1) == (OK, -1)


# -- offsets -----------------------------------------------------------------------------------------------------------
def test_commit_is_checked_by_member_and_epoch(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    member = WireMember(client, group, [topic])
    settle(member)
    assert commit(client, member, topic) is OK
    stale = member.epoch - 1
    assert commit(client, member, topic, generation_id_or_member_epoch=stale) is ErrorCode.stale_member_epoch
    assert commit(client, member, topic, member_id="x") is ErrorCode.unknown_member_id
    assert commit(client, member, topic, member_id="", generation_id_or_member_epoch=-1) is ErrorCode.unknown_member_id
    assert commit(client, member, topic, version=8) is ErrorCode.unsupported_version
    member.leave()
    assert commit(client, member, topic, member_id="", generation_id_or_member_epoch=-1) is OK


def test_fetch_is_checked_by_member_and_epoch(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    member = WireMember(client, group, [topic])
    settle(member)
    commit(client, member, topic)
    assert fetch(client, group, topic, member.member_id, member.epoch) == (OK, 5)
    assert fetch(client, group, topic, None, -1) == (OK, 5)
    assert fetch(client, group, topic, member.member_id, member.epoch + 1)[0] is ErrorCode.stale_member_epoch
    assert fetch(client, group, topic, "x", 1)[0] is ErrorCode.unknown_member_id
    assert fetch(client, f"{group}-none", topic, "x", 1) == (OK, -1)


def test_transactional_commit_is_checked_by_member_and_epoch(
    client: WireClient, group: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(1)
    member = WireMember(client, group, [topic])
    settle(member)
    fields = {"transactional_id": group, "transaction_timeout": timedelta(seconds=10)}
    wait_until(lambda: client.ask(10, 3, key=group, key_type=1).error_code is OK, "the coordinator is there")
    answers: list[Any] = []

    def initialised() -> bool:
        answers.append(client.ask(INIT_PRODUCER_ID, 4, **fields, producer_id=-1, producer_epoch=-1))
        return answers[-1].error_code is OK

    wait_until(initialised, "the producer has an id")
    producer = answers[-1]
    identity = {
        "transactional_id": group,
        "producer_id": producer.producer_id,
        "producer_epoch": producer.producer_epoch,
        "group_id": group,
    }
    assert client.ask(ADD_OFFSETS, 3, **identity).error_code is OK

    def attempt(member_id: str, epoch: int) -> ErrorCode:
        line = {
            "partition_index": 0,
            "committed_offset": 1,
            "committed_leader_epoch": -1,
            "committed_metadata": "",
        }
        answer = client.ask(
            TXN_COMMIT,
            3,
            **identity,
            generation_id=epoch,
            member_id=member_id,
            group_instance_id=None,
            topics=[{"name": topic, "partitions": [line]}],
        )
        return answer.topics[0].partitions[0].error_code

    assert attempt(member.member_id, member.epoch) is OK
    assert attempt(member.member_id, member.epoch + 1) is ErrorCode.illegal_generation
    assert attempt("x", member.epoch) is ErrorCode.unknown_member_id
    assert attempt("", -1) is OK


def test_offsets_of_subscribed_topics_cannot_be_deleted(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic, other = make_topic(1), make_topic(1)
    member = WireMember(client, group, [topic])
    settle(member)
    commit(client, member, topic)
    commit(client, member, other)
    lines = [{"name": name, "partitions": [{"partition_index": 0}]} for name in (topic, other)]
    answer = client.ask(OFFSET_DELETE, 0, group_id=group, topics=lines)
    assert answer.error_code is OK
    assert {line.name: line.partitions[0].error_code for line in answer.topics} == {
        topic: ErrorCode.group_subscribed_to_topic,
        other: OK,
    }
    assert fetch(client, group, other, None, -1) == (OK, -1)


# -- two kinds of groups -----------------------------------------------------------------------------------------------
def test_empty_classic_group_becomes_a_consumer_group(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    joined = stable_alone(client, group)
    leaving = {"group_id": group, "members": [{"member_id": joined.member_id, "group_instance_id": None}]}
    assert client.ask(13, 3, **leaving).error_code is OK
    member = WireMember(client, group, [topic])
    assert commit(client, member, topic, member_id="", generation_id_or_member_epoch=-1) is OK
    settle(member)
    assert listed(client, group).group_type == "consumer"
    assert fetch(client, group, topic, None, -1) == (OK, 5)


def test_empty_consumer_group_becomes_a_classic_group(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    member = WireMember(client, group, [topic])
    settle(member)
    commit(client, member, topic)
    member.leave()
    stable_alone(client, group)
    assert listed(client, group).group_type == "classic"
    assert fetch(client, group, topic, None, -1) == (OK, 5)


def test_classic_member_of_another_protocol_type_is_refused(
    client: WireClient, group: str, make_topic: MakeTopic
) -> None:
    settle(WireMember(client, group, [make_topic(1)]))
    answer = client.ask(JOIN, 5, **join_fields(group, protocol_type="connect"))
    assert answer.error_code is ErrorCode.inconsistent_group_protocol


def test_group_of_another_protocol_type_does_not_become_a_consumer_group(
    client: WireClient, group: str, make_topic: MakeTopic
) -> None:
    join_alone(client, group, protocol_type="connect")
    member = WireMember(client, group, [make_topic(1)])
    assert member.beat() is ErrorCode.group_id_not_found


# -- features and configs ----------------------------------------------------------------------------------------------
def test_group_version_1_is_told_as_a_feature(client: WireClient) -> None:
    answer = client.ask(API_VERSIONS, 4, client_software_name="t", client_software_version="1")
    assert ("group.version", 1) in [(one.name, one.max_version_level) for one in answer.finalized_features]
    assert ("group.version", 0, 1) in [(f.name, f.min_version, f.max_version) for f in answer.supported_features]


def alter_group(client: WireClient, group: str, operation: int, name: str, value: str | None) -> ErrorCode:
    line = {"name": name, "config_operation": operation, "value": value}
    resource = {"resource_type": GROUP_RESOURCE, "resource_name": group, "configs": [line]}
    return client.ask(INCREMENTAL, 1, resources=[resource], validate_only=False).responses[0].error_code


def group_configs(client: WireClient, group: str) -> dict[str, Any]:
    resource = {"resource_type": GROUP_RESOURCE, "resource_name": group, "configuration_keys": None}
    answer = client.ask(DESCRIBE_CONFIGS, 4, resources=[resource], include_synonyms=True, include_documentation=False)
    return {entry.name: entry for entry in answer.results[0].configs}


def shown(client: WireClient, group: str) -> tuple[str, int]:
    """Value and source of the session timeout."""
    entry = group_configs(client, group)["consumer.session.timeout.ms"]
    return entry.value, entry.config_source


def test_group_configs_are_set_shown_and_taken_back(client: WireClient, group: str) -> None:
    assert shown(client, group) == ("45000", 5)
    assert alter_group(client, group, 0, "consumer.session.timeout.ms", "50000") is OK
    wait_until(lambda: shown(client, group) == ("50000", 8), "the override is shown")
    assert alter_group(client, group, 1, "consumer.session.timeout.ms", None) is OK
    wait_until(lambda: shown(client, group) == ("45000", 5), "the default is back")


@kafka
def test_group_configs_are_replaced_whole_by_the_old_api(client: WireClient, group: str) -> None:
    def alter(configs: dict[str, str]) -> ErrorCode:
        lines = [{"name": name, "value": value} for name, value in configs.items()]
        resource = {"resource_type": GROUP_RESOURCE, "resource_name": group, "configs": lines}
        return client.ask(ALTER_CONFIGS, 2, resources=[resource], validate_only=False).responses[0].error_code

    assert alter({"consumer.session.timeout.ms": "50000"}) is OK
    assert alter({"consumer.heartbeat.interval.ms": "6000"}) is OK
    found = group_configs(client, group)
    assert [found[name].value for name in sorted(found) if name.startswith("consumer.")] == ["6000", "45000"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("consumer.session.timeout.ms", "1"),
        ("consumer.session.timeout.ms", "60001"),
        ("consumer.session.timeout.ms", "soon"),
        ("consumer.heartbeat.interval.ms", "15001"),
        ("retention.ms", "1"),
    ],
)
def test_group_configs_that_cannot_be_are_refused(client: WireClient, group: str, name: str, value: str) -> None:
    assert alter_group(client, group, 0, name, value) is ErrorCode.invalid_config


def test_group_configs_need_a_group(client: WireClient) -> None:
    assert alter_group(client, "", 0, "consumer.session.timeout.ms", "50000") is ErrorCode.invalid_request


def test_session_timeout_of_one_group_counts(
    client: WireClient, servers: str, group: str, make_topic: MakeTopic
) -> None:
    assert alter_group(client, group, 0, "consumer.heartbeat.interval.ms", "500") is OK
    assert alter_group(client, group, 0, "consumer.session.timeout.ms", "1000") is OK
    settle(WireMember(client, group, [make_topic(1)]))
    with wire(servers) as other:
        wait_until(lambda: listed(other, group).group_state == "Empty", "the silent member is out")


def test_uuid_of_nothing_is_no_topic(client: WireClient, group: str, make_topic: MakeTopic) -> None:
    """A report of partitions that nobody knows gives nothing up and takes nothing."""
    member = WireMember(client, group, [make_topic(1)])
    settle(member)
    member.owned[UUID(int=1)] = [0]
    assert member.beat() is OK
