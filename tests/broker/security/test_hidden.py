"""What is not refused but left out, and what nobody may find out from a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker.offsets.committed_offset import CommittedOffset
from broker.protocol.api_keys import ApiKey
from broker.security.acl import Acl, AclPermission
from broker.security.operation import AclOperation as Op
from broker.security.resource import CLUSTER_NAME, PatternType, ResourceType
from broker.state import BrokerState
from tests.broker.security.guarded_broker import ALICE, GuardedBroker, Right
from tests.broker.security.permission_case import SECOND

NOT_ASKED = -(2**31)
CLUSTER_DESCRIBE = Right(Op.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)


def bits(*operations: Op) -> int:
    return sum(1 << operation for operation in operations)


def topic(operation: Op, name: str) -> Right:
    return Right(operation, ResourceType.TOPIC, name)


def group(operation: Op, name: str) -> Right:
    return Right(operation, ResourceType.GROUP, name)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("data")) as broker:
        broker.wait(furnish(broker.state))
        yield broker


async def furnish(state: BrokerState) -> None:
    """Topics mine and theirs, groups of those names with offsets in both, a transaction over both."""
    committed = CommittedOffset(offset=7, leader_epoch=-1, metadata="", commit_timestamp_ms=state.clock())
    for name in ("mine", "theirs"):
        state.create_topic(name, 2)
    for name in ("mine", "theirs"):
        await state.groups.commit(name, {("mine", 0): committed, ("theirs", 0): committed})
        who = await state.transactions.initialise(name, 60_000, None)
        assert not isinstance(who, ErrorCode)
        await state.transactions.enlist(name, who, frozenset({("mine", 0), ("theirs", 0)}))


def ask(guarded: GuardedBroker, rights: list[Right], key: ApiKey, version: int, **values: Any) -> Any:
    guarded.allow_only(rights)
    with guarded.client() as client:
        return client.ask(key, version, **values)


@pytest.mark.parametrize("version", range(14))
def test_metadata_of_all_topics_leaves_out_those_one_may_not_describe(guarded: GuardedBroker, version: int) -> None:
    everything = [] if version == 0 else None
    answer = ask(guarded, [topic(Op.READ, "mine")], ApiKey.METADATA, version, topics=everything)
    assert [line.name for line in answer.topics] == ["mine"]


@pytest.mark.parametrize("version", range(14))
def test_metadata_by_name_does_not_tell_whether_a_hidden_topic_exists(guarded: GuardedBroker, version: int) -> None:
    """Not by its code, its id, its partitions, or by coming into being."""
    lines = [{"name": name, "topic_id": None} for name in ("theirs", "nothing", "__consumer_offsets", "a bad name")]
    answer = ask(guarded, [], ApiKey.METADATA, version, topics=lines)
    assert {line.error_code for line in answer.topics} == {ErrorCode.topic_authorization_failed}
    assert {getattr(line, "topic_id", None) for line in answer.topics} == {None}
    assert {line.partitions for line in answer.topics} == {()}
    assert {getattr(line, "is_internal", False) for line in answer.topics} == {False}
    assert guarded.state.topics.get("nothing") is None


def test_metadata_by_id_of_a_hidden_topic_keeps_its_name(guarded: GuardedBroker) -> None:
    topic_id = guarded.state.topics.require("theirs").id
    answer = ask(guarded, [], ApiKey.METADATA, 12, topics=[{"name": None, "topic_id": topic_id}])
    assert [(line.error_code, line.name) for line in answer.topics] == [(ErrorCode.topic_authorization_failed, None)]


def test_metadata_without_create_rights_does_not_create(guarded: GuardedBroker) -> None:
    """Who may describe a name learns that it is not there, if creation was not asked for."""
    rights = [topic(Op.DESCRIBE, "nothing")]
    lines = [{"name": "nothing", "topic_id": None}]
    refused = ask(guarded, rights, ApiKey.METADATA, 9, topics=lines)
    assert refused.topics[0].error_code is ErrorCode.topic_authorization_failed
    asked = ask(guarded, rights, ApiKey.METADATA, 9, topics=lines, allow_auto_topic_creation=False)
    assert asked.topics[0].error_code is ErrorCode.unknown_topic_or_partition
    assert guarded.state.topics.get("nothing") is None


@pytest.mark.parametrize("version", [8, 9, 10])
def test_metadata_tells_authorized_operations_of_cluster(guarded: GuardedBroker, version: int) -> None:
    """0 for those who may not describe the cluster, as in Kafka."""
    asked = {"topics": [], "include_cluster_authorized_operations": True}
    rights = [CLUSTER_DESCRIBE, Right(Op.CREATE, ResourceType.CLUSTER, CLUSTER_NAME)]
    told = ask(guarded, rights, ApiKey.METADATA, version, **asked)
    assert told.cluster_authorized_operations == bits(Op.DESCRIBE, Op.CREATE)
    assert ask(guarded, rights[1:], ApiKey.METADATA, version, **asked).cluster_authorized_operations == 0
    unasked = ask(guarded, rights, ApiKey.METADATA, version, topics=[])
    assert unasked.cluster_authorized_operations == NOT_ASKED


@pytest.mark.parametrize("version", range(8, 14))
def test_metadata_tells_authorized_operations_of_topics(guarded: GuardedBroker, version: int) -> None:
    lines = [{"name": name, "topic_id": None} for name in ("mine", "theirs")]
    answer = ask(
        guarded,
        [topic(Op.READ, "mine"), topic(Op.ALTER_CONFIGS, "mine")],
        ApiKey.METADATA,
        version,
        topics=lines,
        include_topic_authorized_operations=True,
    )
    assert [line.topic_authorized_operations for line in answer.topics] == [
        bits(Op.READ, Op.DESCRIBE, Op.ALTER_CONFIGS, Op.DESCRIBE_CONFIGS),
        NOT_ASKED,
    ]


@pytest.mark.parametrize("version", [0, 1, 2])
def test_describe_cluster_tells_authorized_operations(guarded: GuardedBroker, version: int) -> None:
    """The nodes are for everybody."""
    asked = {"include_cluster_authorized_operations": True, "include_fenced_brokers": False}
    told = ask(guarded, [CLUSTER_DESCRIBE], ApiKey.DESCRIBE_CLUSTER, version, **asked)
    assert told.cluster_authorized_operations == bits(Op.DESCRIBE)
    refused = ask(guarded, [], ApiKey.DESCRIBE_CLUSTER, version, **asked)
    assert (refused.cluster_authorized_operations, len(refused.brokers)) == (0, 1)
    asked["include_cluster_authorized_operations"] = False
    assert ask(guarded, [], ApiKey.DESCRIBE_CLUSTER, version, **asked).cluster_authorized_operations == NOT_ASKED


@pytest.mark.parametrize("version", range(3, 7))
def test_describe_groups_tells_authorized_operations(guarded: GuardedBroker, version: int) -> None:
    asked = {"groups": ["mine", "theirs", "nothing"], "include_authorized_operations": True}
    answer = ask(guarded, [group(Op.READ, "mine")], ApiKey.DESCRIBE_GROUPS, version, **asked)
    mine, theirs, nothing = answer.groups
    assert mine.authorized_operations == bits(Op.READ, Op.DESCRIBE)
    assert theirs.authorized_operations == nothing.authorized_operations == NOT_ASKED
    assert theirs.error_code is nothing.error_code is ErrorCode.group_authorization_failed
    assert theirs.group_state == nothing.group_state == ""


@pytest.mark.parametrize("version", range(6))
def test_list_groups_shows_those_one_may_describe(guarded: GuardedBroker, version: int) -> None:
    """All of them to those who may describe the cluster."""
    asked: dict[str, Any] = {"states_filter": [], "types_filter": []}
    for rights, shown in (
        ([], []),
        ([group(Op.DELETE, "mine")], ["mine"]),
        ([CLUSTER_DESCRIBE], ["mine", "theirs"]),
    ):
        answer = ask(guarded, rights, ApiKey.LIST_GROUPS, version, **asked)
        assert answer.error_code is ErrorCode.none
        assert sorted(line.group_id for line in answer.groups) == shown


@pytest.mark.parametrize("version", range(2, 11))
def test_offset_fetch_of_all_topics_leaves_out_hidden_ones(guarded: GuardedBroker, version: int) -> None:
    asked: dict[str, Any] = {"group_id": "theirs", "topics": None, "groups": [{"group_id": "theirs", "topics": None}]}
    rights = [group(Op.DESCRIBE, "theirs"), topic(Op.DESCRIBE, "mine")]
    answer = ask(guarded, rights, ApiKey.OFFSET_FETCH, version, **asked)
    of_group = answer if version < 8 else answer.groups[0]
    names = {getattr(line, "name", None) or guarded.state.topics.ids[line.topic_id].name for line in of_group.topics}
    assert (of_group.error_code, names) == (ErrorCode.none, {"mine"})


@pytest.mark.parametrize("version", [0, 1, 2])
def test_list_transactions_shows_those_one_may_describe(guarded: GuardedBroker, version: int) -> None:
    rights = [Right(Op.WRITE, ResourceType.TRANSACTIONAL_ID, "mine")]
    answer = ask(guarded, rights, ApiKey.LIST_TRANSACTIONS, version, state_filters=[], producer_id_filters=[])
    assert [line.transactional_id for line in answer.transaction_states] == ["mine"]


def test_describe_transactions_shows_topics_one_may_describe(guarded: GuardedBroker) -> None:
    rights = [Right(Op.DESCRIBE, ResourceType.TRANSACTIONAL_ID, "theirs"), topic(Op.DESCRIBE, "mine")]
    answer = ask(guarded, rights, ApiKey.DESCRIBE_TRANSACTIONS, 0, transactional_ids=["theirs"])
    assert [line.topic for line in answer.transaction_states[0].topics] == ["mine"]


def test_describe_transactions_does_not_tell_whether_a_hidden_one_exists(guarded: GuardedBroker) -> None:
    answer = ask(guarded, [], ApiKey.DESCRIBE_TRANSACTIONS, 0, transactional_ids=["theirs", "nothing"])
    theirs, nothing = answer.transaction_states
    assert theirs.error_code is nothing.error_code is ErrorCode.transactional_id_authorization_failed
    assert (theirs.producer_id, theirs.transaction_state) == (nothing.producer_id, nothing.transaction_state)


def test_delete_topics_tells_names_to_those_who_may_describe(guarded: GuardedBroker) -> None:
    """By id the name is told with Describe only; by name a missing topic is told from a hidden one with it only."""
    topic_id = guarded.state.topics.require("theirs").id
    by_id = {"topics": [{"name": None, "topic_id": topic_id}], "timeout": SECOND}
    by_name = {"topics": [{"name": "nothing", "topic_id": None}], "timeout": SECOND}
    for rights, name, missing in (
        ([], None, ErrorCode.topic_authorization_failed),
        (
            [topic(Op.DESCRIBE, "theirs"), topic(Op.DESCRIBE, "nothing")],
            "theirs",
            ErrorCode.unknown_topic_or_partition,
        ),
    ):
        (line,) = ask(guarded, rights, ApiKey.DELETE_TOPICS, 6, **by_id).responses
        assert (line.error_code, line.name) == (ErrorCode.topic_authorization_failed, name)
        (line,) = ask(guarded, rights, ApiKey.DELETE_TOPICS, 6, **by_name).responses
        assert (line.error_code, line.topic_id) == (missing, None)


def test_create_topics_hides_configs_from_those_who_may_not_see_them(guarded: GuardedBroker) -> None:
    """The topic is made all the same."""
    line = {"name": "made", "num_partitions": 3, "replication_factor": 1, "assignments": [], "configs": []}
    answer = ask(guarded, [topic(Op.CREATE, "made")], ApiKey.CREATE_TOPICS, 7, topics=[line], timeout=SECOND)
    (made,) = answer.topics
    assert (made.error_code, made.topic_config_error_code) == (ErrorCode.none, 29)
    assert (made.num_partitions, made.replication_factor, made.configs) == (-1, -1, ())
    assert guarded.state.topics.require("made").partitions == 3


def test_describe_topic_partitions_of_all_leaves_out_hidden_topics(guarded: GuardedBroker) -> None:
    """They take no place in a page either."""
    rights = [topic(Op.READ, "theirs")]
    key = ApiKey.DESCRIBE_TOPIC_PARTITIONS
    answer = ask(guarded, rights, key, 0, topics=[], response_partition_limit=1, cursor=None)
    (theirs,) = answer.topics
    assert (theirs.name, [line.partition_index for line in theirs.partitions]) == ("theirs", [0])
    assert (answer.next_cursor.topic_name, answer.next_cursor.partition_index) == ("theirs", 1)
    assert theirs.topic_authorized_operations == bits(Op.READ, Op.DESCRIBE)


def test_describe_topic_partitions_by_name_does_not_tell_whether_a_hidden_topic_exists(guarded: GuardedBroker) -> None:
    lines = [{"name": name} for name in ("theirs", "mine", "nothing", "a bad name")]
    rights = [topic(Op.DESCRIBE, "theirs")]
    answer = ask(guarded, rights, ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, topics=lines, cursor=None)
    theirs, *others = answer.topics
    assert (theirs.name, theirs.error_code, len(theirs.partitions)) == ("theirs", ErrorCode.none, 2)
    assert [line.name for line in others] == ["a bad name", "mine", "nothing"]
    for line in others:
        assert line.error_code is ErrorCode.topic_authorization_failed
        assert (line.topic_id, line.partitions, line.is_internal) == (None, (), False)
        assert line.topic_authorized_operations == NOT_ASKED


def test_fetch_does_not_tell_whether_a_hidden_topic_exists(guarded: GuardedBroker) -> None:
    guarded.allow_only([])
    with guarded.client() as client:
        for name in ("theirs", "nothing"):
            parts = [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 9}]
            answer = client.ask(
                ApiKey.FETCH,
                4,
                replica_id=-1,
                max_wait=SECOND,
                min_bytes=1,
                topics=[{"topic": name, "partitions": parts}],
            )
            (line,) = answer.responses[0].partitions
            assert line.error_code is ErrorCode.topic_authorization_failed
            assert (line.high_watermark, line.last_stable_offset) == (-1, -1)


def test_denied_topic_among_allowed_ones_is_refused_alone(guarded: GuardedBroker) -> None:
    """A prefix allows, an entry for one name of it denies."""
    acls = [
        Acl(ResourceType.TOPIC, "m", PatternType.PREFIXED, str(ALICE), "*", Op.ALL, AclPermission.ALLOW),
        Acl(ResourceType.TOPIC, "made-secret", PatternType.LITERAL, "User:*", "*", Op.READ, AclPermission.DENY),
    ]
    guarded.call(guarded.authorizer.replace, dict.fromkeys(acls))
    lines = [{"name": name, "partitions": [{"partition_index": 0, "timestamp": -1}]} for name in ("mine", "theirs")]
    with guarded.client() as client:
        answer = client.ask(ApiKey.LIST_OFFSETS, 1, replica_id=-1, topics=lines)
        assert [line.partitions[0].error_code for line in answer.topics] == [
            ErrorCode.none,
            ErrorCode.topic_authorization_failed,
        ]
        described = client.ask(ApiKey.DESCRIBE_PRODUCERS, 0, topics=[{"name": "made-secret", "partition_indexes": [0]}])
        assert described.topics[0].partitions[0].error_code is ErrorCode.topic_authorization_failed
