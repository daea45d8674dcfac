"""Clients of confluent-kafka with no more rights than they need, and what they see with one less.

They connect without proving who they are, so the entries are for User:ANONYMOUS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient, NewTopic

from broker.security.acl import Acl, AclPermission
from broker.security.operation import AclOperation as Op
from broker.security.principal import ANONYMOUS
from broker.security.resource import PatternType, ResourceType
from tests.broker.security.guarded_broker import GuardedBroker

TOPIC, GROUP, TRANSACTION = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID
TIMEOUT_S = 20


@pytest.fixture
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("data")) as broker:
        broker.call(broker.state.create_topic, "mine")
        broker.call(broker.state.create_topic, "theirs")
        yield broker


def allow(guarded: GuardedBroker, *rights: tuple[Op, ResourceType, str]) -> None:
    acls = [
        Acl(kind, name, PatternType.LITERAL, str(ANONYMOUS), "*", operation, AclPermission.ALLOW)
        for operation, kind, name in rights
    ]
    guarded.call(guarded.authorizer.replace, dict.fromkeys(acls))


def producer(guarded: GuardedBroker, **config: Any) -> Producer:
    return Producer(
        {"bootstrap.servers": guarded.bootstrap_servers, **{name.replace("_", "."): v for name, v in config.items()}}
    )


def produce(client: Producer, topic: str) -> str | None:
    """The name of the error that the record met, or None."""
    errors: list[Any] = []
    client.produce(topic, b"v", on_delivery=lambda error, _: errors.append(error))
    assert client.flush(TIMEOUT_S) == 0
    (error,) = errors
    return None if error is None else error.name()


@pytest.mark.parametrize("idempotent", [False, True])
def test_producer_with_write_on_its_topic_writes_there_only(guarded: GuardedBroker, idempotent: bool) -> None:
    """An idempotent one needs nothing more."""
    allow(guarded, (Op.WRITE, TOPIC, "mine"))
    client = producer(guarded, enable_idempotence=idempotent)
    assert produce(client, "mine") is None
    assert produce(client, "theirs") == "TOPIC_AUTHORIZATION_FAILED"
    log = guarded.state.logs.get("theirs", 0)
    assert log is not None
    assert log.end_offset == 0


def test_idempotent_producer_without_any_write_is_told_so(guarded: GuardedBroker) -> None:
    allow(guarded, (Op.DESCRIBE, TOPIC, "mine"))
    client = producer(guarded, enable_idempotence=True)
    client.produce("mine", b"v")
    with pytest.raises(KafkaException) as refusal:
        client.poll(TIMEOUT_S)
    assert refusal.value.args[0].name() == "CLUSTER_AUTHORIZATION_FAILED"


def test_consumer_with_read_on_topic_and_group_consumes_and_commits(guarded: GuardedBroker) -> None:
    allow(guarded, (Op.ALL, TOPIC, "mine"), (Op.READ, GROUP, "g"))
    assert produce(producer(guarded), "mine") is None
    allow(guarded, (Op.READ, TOPIC, "mine"), (Op.READ, GROUP, "g"))
    client = Consumer(
        {"bootstrap.servers": guarded.bootstrap_servers, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    try:
        client.subscribe(["mine"])
        message = client.poll(TIMEOUT_S)
        assert message is not None
        assert message.error() is None
        client.commit(message, asynchronous=False)
        (committed,) = client.committed([TopicPartition("mine", 0)], TIMEOUT_S)
        assert committed.offset == 1
    finally:
        client.close()


def transactional(guarded: GuardedBroker) -> Producer:
    client = producer(guarded, transactional_id="x", transaction_timeout_ms=10_000)
    client.init_transactions(TIMEOUT_S)
    client.begin_transaction()
    return client


def test_transaction_with_its_rights_commits_records_and_offsets(guarded: GuardedBroker) -> None:
    allow(
        guarded,
        (Op.WRITE, TOPIC, "mine"),
        (Op.READ, TOPIC, "theirs"),
        (Op.WRITE, TRANSACTION, "x"),
        (Op.READ, GROUP, "g"),
    )
    client = transactional(guarded)
    consumer = Consumer({"bootstrap.servers": guarded.bootstrap_servers, "group.id": "g"})
    client.produce("mine", b"v")
    client.send_offsets_to_transaction([TopicPartition("theirs", 0, 5)], consumer.consumer_group_metadata(), TIMEOUT_S)
    client.commit_transaction(TIMEOUT_S)
    consumer.close()
    committed = guarded.state.groups.offsets.get("g", ("theirs", 0))
    assert committed is not None
    assert committed.offset == 5


def test_transaction_without_its_transactional_id_does_not_begin(guarded: GuardedBroker) -> None:
    allow(guarded, (Op.WRITE, TOPIC, "mine"))
    with pytest.raises(KafkaException) as refusal:
        transactional(guarded)
    assert refusal.value.args[0].name() == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"


def test_transaction_without_the_group_sends_no_offsets(guarded: GuardedBroker) -> None:
    allow(guarded, (Op.READ, TOPIC, "theirs"), (Op.WRITE, TRANSACTION, "x"))
    client = transactional(guarded)
    consumer = Consumer({"bootstrap.servers": guarded.bootstrap_servers, "group.id": "g"})
    with pytest.raises(KafkaException) as refusal:
        client.send_offsets_to_transaction(
            [TopicPartition("theirs", 0, 5)], consumer.consumer_group_metadata(), TIMEOUT_S
        )
    assert refusal.value.args[0].name() == "GROUP_AUTHORIZATION_FAILED"
    client.abort_transaction(TIMEOUT_S)
    consumer.close()


def test_admin_sees_and_makes_what_is_allowed(guarded: GuardedBroker) -> None:
    """Listings leave the rest out; authorized operations say what may be done."""
    made = NewTopic("made", 1, 1)
    allow(guarded, (Op.READ, TOPIC, "mine"), (Op.CREATE, TOPIC, "made"), (Op.DESCRIBE, GROUP, "g"))
    admin = AdminClient({"bootstrap.servers": guarded.bootstrap_servers})
    assert set(admin.list_topics(timeout=TIMEOUT_S).topics) == {"mine"}
    assert admin.create_topics([made])["made"].result(TIMEOUT_S) is None
    with pytest.raises(KafkaException) as refusal:
        admin.create_topics([NewTopic("other", 1, 1)])["other"].result(TIMEOUT_S)
    assert refusal.value.args[0].name() == "TOPIC_AUTHORIZATION_FAILED"
    with pytest.raises(KafkaException) as refusal:
        admin.delete_topics(["mine"])["mine"].result(TIMEOUT_S)
    assert refusal.value.args[0].name() == "TOPIC_AUTHORIZATION_FAILED"
    described = admin.describe_consumer_groups(["g"], include_authorized_operations=True)["g"].result(TIMEOUT_S)
    assert described.authorized_operations == [AclOperation.DESCRIBE]
