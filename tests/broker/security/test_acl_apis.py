"""DescribeAcls, CreateAcls and DeleteAcls on the wire, and what stays of them on the disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker, BrokerOptions, DataDirectoryError
from broker.protocol.api_keys import ApiKey
from broker.security.acl import Acl, AclFilter, AclPermission
from broker.security.operation import AclOperation as Op
from broker.security.principal import ANONYMOUS
from broker.security.resource import PatternType, ResourceType
from tests.broker.groups.wire import WireClient, wire
from tests.broker.security.guarded_broker import GuardedBroker

DESCRIBE, CREATE, DELETE = ApiKey.DESCRIBE_ACLS, ApiKey.CREATE_ACLS, ApiKey.DELETE_ACLS
VERSIONS = [1, 2, 3]
GOOD = {
    "resource_type": 2,
    "resource_name": "t",
    "resource_pattern_type": 3,
    "principal": "User:bob",
    "host": "*",
    "operation": 3,
    "permission_type": 3,
}
ALL = {
    "resource_type_filter": 1,
    "resource_name_filter": None,
    "pattern_type_filter": 1,
    "principal_filter": None,
    "host_filter": None,
    "operation": 1,
    "permission_type": 1,
}
READ_T = Acl(ResourceType.TOPIC, "t", PatternType.LITERAL, "User:bob", "*", Op.READ, AclPermission.ALLOW)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path, super_users=[str(ANONYMOUS)]) as broker:
        yield broker


@pytest.fixture
def admin(guarded: GuardedBroker) -> Iterator[WireClient]:
    """A super user."""
    with guarded.client(ANONYMOUS) as client:
        yield client


@pytest.mark.parametrize("version", VERSIONS)
def test_without_an_authorizer_security_is_disabled(broker: Broker, version: int) -> None:
    """As in Kafka, and nothing else is refused to anybody."""
    with wire(broker.bootstrap_servers) as client:
        described = client.ask(DESCRIBE, version, **ALL)
        assert (described.error_code, described.resources) == (ErrorCode.security_disabled, ())
        created = client.ask(CREATE, version, creations=[GOOD, GOOD])
        assert [line.error_code for line in created.results] == [ErrorCode.security_disabled] * 2
        deleted = client.ask(DELETE, version, filters=[ALL])
        assert [line.error_code for line in deleted.filter_results] == [ErrorCode.security_disabled]


@pytest.mark.parametrize("version", VERSIONS)
def test_created_acls_are_described_by_resource_and_deleted(admin: WireClient, version: int) -> None:
    write = GOOD | {"operation": 4}
    prefixed = GOOD | {"resource_pattern_type": 4, "principal": "User:*", "permission_type": 2}
    created = admin.ask(CREATE, version, creations=[GOOD, write, prefixed, GOOD])
    assert [line.error_code for line in created.results] == [ErrorCode.none] * 4
    described = admin.ask(DESCRIBE, version, **ALL)
    found = {
        (line.resource_type, line.resource_name, line.pattern_type): [
            (acl.principal, acl.host, acl.operation, acl.permission_type) for acl in line.acls
        ]
        for line in described.resources
    }
    assert found == {
        (2, "t", 3): [("User:bob", "*", 3, 3), ("User:bob", "*", 4, 3)],
        (2, "t", 4): [("User:*", "*", 3, 2)],
    }
    deleted = admin.ask(DELETE, version, filters=[ALL | {"operation": 3}, ALL | {"resource_type_filter": 3}])
    assert [len(line.matching_acls) for line in deleted.filter_results] == [2, 0]
    (left,) = admin.ask(DESCRIBE, version, **ALL).resources
    assert [acl.operation for acl in left.acls] == [4]


BAD = [
    ("resource_type", 0, "resource type 0"),
    ("resource_type", 1, "not any"),
    ("resource_type", 99, "resource type 99"),
    ("resource_pattern_type", 0, "pattern type 0"),
    ("resource_pattern_type", 1, "LITERAL or PREFIXED"),
    ("resource_pattern_type", 2, "LITERAL or PREFIXED"),
    ("operation", 0, "operation 0"),
    ("operation", 1, "not any"),
    ("permission_type", 0, "permission type 0"),
    ("permission_type", 1, "not any"),
    ("resource_name", "", "empty"),
    ("principal", "bob", "User:name"),
    ("principal", "User:", "User:name"),
    ("host", "", "address"),
]


@pytest.mark.parametrize(("field", "value", "words"), BAD)
def test_acl_that_makes_no_sense_is_refused_alone(
    guarded: GuardedBroker, admin: WireClient, field: str, value: Any, words: str
) -> None:
    answer = admin.ask(CREATE, 3, creations=[GOOD | {field: value}, GOOD])
    assert [line.error_code for line in answer.results] == [ErrorCode.invalid_request, ErrorCode.none]
    assert words in answer.results[0].error_message
    assert guarded.call(guarded.authorizer.matching, AclFilter()) == [READ_T]


def test_acl_on_the_cluster_needs_its_name(admin: WireClient) -> None:
    lines = [GOOD | {"resource_type": 4}, GOOD | {"resource_type": 4, "resource_name": "kafka-cluster"}]
    answer = admin.ask(CREATE, 3, creations=lines)
    assert [line.error_code for line in answer.results] == [ErrorCode.invalid_request, ErrorCode.none]
    assert "kafka-cluster" in answer.results[0].error_message


@pytest.mark.parametrize("field", ["resource_type_filter", "pattern_type_filter", "operation", "permission_type"])
def test_filter_with_unknown_codes_is_refused(guarded: GuardedBroker, admin: WireClient, field: str) -> None:
    guarded.call(guarded.authorizer.add, [READ_T])
    described = admin.ask(DESCRIBE, 3, **ALL | {field: 77})
    assert (described.error_code, described.resources) == (ErrorCode.invalid_request, ())
    deleted = admin.ask(DELETE, 3, filters=[ALL | {field: 77}])
    assert [line.error_code for line in deleted.filter_results] == [ErrorCode.invalid_request]
    assert guarded.call(guarded.authorizer.matching, AclFilter()) == [READ_T]


def test_acl_counts_from_its_creation_to_its_deletion(guarded: GuardedBroker, admin: WireClient) -> None:
    """For connections that are open already, too."""
    guarded.call(guarded.state.create_topic, "t")
    asked: dict[str, Any] = {
        "replica_id": -1,
        "topics": [{"name": "t", "partitions": [{"partition_index": 0, "timestamp": -1}]}],
    }

    def code(client: WireClient) -> ErrorCode:
        return client.ask(ApiKey.LIST_OFFSETS, 1, **asked).topics[0].partitions[0].error_code

    with guarded.client() as alice:
        assert code(alice) is ErrorCode.topic_authorization_failed
        admin.ask(CREATE, 3, creations=[GOOD | {"principal": "User:alice"}])
        assert code(alice) is ErrorCode.none
        admin.ask(CREATE, 3, creations=[GOOD | {"principal": "User:*", "permission_type": 2, "operation": 2}])
        assert code(alice) is ErrorCode.topic_authorization_failed
        admin.ask(DELETE, 3, filters=[ALL | {"permission_type": 2}])
        assert code(alice) is ErrorCode.none
        admin.ask(DELETE, 3, filters=[ALL])
        assert code(alice) is ErrorCode.topic_authorization_failed


def test_acl_for_another_host_does_not_count(guarded: GuardedBroker, admin: WireClient) -> None:
    metadata: dict[str, Any] = {"topics": [{"name": "t", "topic_id": None}], "allow_auto_topic_creation": False}
    with guarded.client() as alice:
        for host, code in (
            ("10.1.1.1", ErrorCode.topic_authorization_failed),
            ("127.0.0.1", ErrorCode.unknown_topic_or_partition),
        ):
            admin.ask(CREATE, 3, creations=[GOOD | {"principal": "User:alice", "host": host}])
            assert alice.ask(ApiKey.METADATA, 9, **metadata).topics[0].error_code is code


def test_resources_without_acls_are_open_where_that_is_said(tmp_path: Path) -> None:
    """`allow.everyone.if.no.acl.found`: an entry for anybody closes the resource to all others."""
    with GuardedBroker(tmp_path, allow_everyone_if_no_acl_found=True) as guarded, guarded.client() as alice:
        metadata: dict[str, Any] = {"topics": [{"name": "t", "topic_id": None}]}
        assert alice.ask(ApiKey.METADATA, 9, **metadata).topics[0].error_code is ErrorCode.none
        guarded.call(guarded.authorizer.add, [READ_T])
        assert alice.ask(ApiKey.METADATA, 9, **metadata).topics[0].error_code is ErrorCode.topic_authorization_failed


def test_acls_survive_kill_and_restart() -> None:
    options = BrokerOptions(authorizer=True, super_users=(str(ANONYMOUS),))
    with Broker(options=options) as broker:
        with wire(broker.bootstrap_servers) as client:
            client.ask(CREATE, 3, creations=[GOOD, GOOD | {"resource_name": "ü*", "resource_pattern_type": 4}])
            client.ask(DELETE, 3, filters=[ALL | {"resource_name_filter": "t"}])
        broker.kill()
        broker.restart()
        with wire(broker.bootstrap_servers) as client:
            (left,) = client.ask(DESCRIBE, 3, **ALL).resources
        assert (left.resource_name, left.pattern_type) == ("ü*", 4)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"format": 2, "acls": []}', b'{"format": 1, "acls": [{"name": "t"}]}']
)
def test_damaged_acls_keep_the_broker_from_starting(tmp_path: Path, content: bytes) -> None:
    """Nobody is let in by guessing."""
    with Broker(data=tmp_path, options=BrokerOptions(data=tmp_path)):
        pass
    (tmp_path / "acls.json").write_bytes(content)
    with (
        pytest.raises(DataDirectoryError, match=r"acls\.json"),
        Broker(options=BrokerOptions(data=tmp_path, authorizer=True), in_process=True),
    ):
        pass


def test_acls_that_cannot_be_stored_change_nothing(
    guarded: GuardedBroker, admin: WireClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.call(guarded.authorizer.add, [READ_T])

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("broker.security.acl_file.write_atomically", full)
    created = admin.ask(CREATE, 3, creations=[GOOD | {"operation": 4}, GOOD | {"operation": 0}])
    assert [line.error_code for line in created.results] == [ErrorCode.kafka_storage_error, ErrorCode.invalid_request]
    (deleted,) = admin.ask(DELETE, 3, filters=[ALL]).filter_results
    assert (deleted.error_code, deleted.matching_acls) == (ErrorCode.kafka_storage_error, ())
    assert guarded.call(guarded.authorizer.matching, AclFilter()) == [READ_T]


def test_refusals_are_logged_with_who_and_what(guarded: GuardedBroker, caplog: pytest.LogCaptureFixture) -> None:
    """Not those of lists that merely leave things out."""
    with caplog.at_level(logging.INFO, "broker.authorizer"), guarded.client() as alice:
        alice.ask(ApiKey.METADATA, 9, topics=None)
        alice.ask(ApiKey.LIST_GROUPS, 4, states_filter=[])
        assert caplog.messages == []
        alice.ask(ApiKey.METADATA, 9, topics=[{"name": "t", "topic_id": None}])
    assert caplog.messages == ["User:alice at /127.0.0.1 was refused DESCRIBE on TOPIC t"]
