"""CreateTopics, DeleteTopics, CreatePartitions through confluent-kafka's AdminClient and on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from kio.schema.errors import ErrorCode

from broker import Broker
from broker.options import BrokerOptions
from tests.broker.groups.wire import wire

CREATE, DELETE, GROW = 19, 20, 37
PATIENCE = timedelta(seconds=10)
FACTOR = 3
"""There is one broker, which takes any factor."""


def outcome(future: Any) -> int:
    """The error code of an admin call, 0 if it succeeded."""
    try:
        future.result(10)
    except KafkaException as error:
        return error.args[0].code()
    return 0


def partitions_of(admin: AdminClient, topic: str) -> int:
    return len(admin.list_topics(timeout=10).topics[topic].partitions)


def test_create_topic_makes_partitions(admin: AdminClient, topic: str) -> None:
    """It is there when the call returns, and any replication factor is taken as one."""
    assert outcome(admin.create_topics([NewTopic(topic, 3, FACTOR)])[topic]) == 0
    metadata = admin.list_topics(timeout=10).topics[topic]
    assert [p.replicas for p in metadata.partitions.values()] == [[1]] * 3


def test_create_topic_with_defaults_and_assignments(admin: AdminClient, topic: str) -> None:
    """-1 takes the default count; a manual assignment counts partitions, whatever brokers it names."""
    assert outcome(admin.create_topics([NewTopic(topic, -1)])[topic]) == 0
    assert partitions_of(admin, topic) == 1
    assigned = f"{topic}-assigned"
    new = NewTopic(assigned, num_partitions=2, replica_assignment=[[1], [1]])
    assert outcome(admin.create_topics([new])[assigned]) == 0
    assert partitions_of(admin, assigned) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "bad name!"}, KafkaError.TOPIC_EXCEPTION),
        ({"name": "."}, KafkaError.TOPIC_EXCEPTION),
        ({"name": "x" * 250}, KafkaError.TOPIC_EXCEPTION),
        ({"configs": [("no.such", "1")]}, KafkaError.INVALID_CONFIG),
        ({"configs": [("retention.ms", "soon")]}, KafkaError.INVALID_CONFIG),
        ({"configs": [("cleanup.policy", "shrink")]}, KafkaError.INVALID_CONFIG),
        ({"configs": [("retention.ms", None)]}, KafkaError.INVALID_CONFIG),
        ({"num_partitions": 0}, KafkaError.INVALID_PARTITIONS),
        ({"num_partitions": -2}, KafkaError.INVALID_PARTITIONS),
        ({"replication_factor": 0}, KafkaError.INVALID_REPLICATION_FACTOR),
    ],
)
def test_create_topic_is_refused(address: str, topic: str, change: dict[str, Any], code: int) -> None:
    """Each mistake has its own code and a message, and nothing is created."""
    line: dict[str, Any] = {
        "name": topic, "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": [],
    } | change  # fmt: skip
    line["configs"] = [{"name": name, "value": value} for name, value in line["configs"]]
    with wire(address) as client:
        (answer,) = client.ask(CREATE, 7, topics=[line]).topics
        assert (int(answer.error_code), answer.topic_id, answer.configs) == (code, None, ())
        assert answer.error_message
        assert client.ask(DELETE, 5, topic_names=[line["name"]], timeout=PATIENCE).responses[0].error_code != 0


def test_create_topic_that_exists_is_refused(admin: AdminClient, topic: str) -> None:
    """TOPIC_ALREADY_EXISTS, and the topic stays as it is."""
    admin.create_topics([NewTopic(topic, 2)])[topic].result(10)
    assert outcome(admin.create_topics([NewTopic(topic, 5)])[topic]) == KafkaError.TOPIC_ALREADY_EXISTS
    assert partitions_of(admin, topic) == 2


def test_create_topic_validate_only_creates_nothing(admin: AdminClient, topic: str) -> None:
    """But refuses what would be refused."""
    assert outcome(admin.create_topics([NewTopic(topic, 2)], validate_only=True)[topic]) == 0
    assert topic not in admin.list_topics(timeout=10).topics
    bad = NewTopic(topic, 2, config={"retention.ms": "soon"})
    assert outcome(admin.create_topics([bad], validate_only=True)[topic]) == KafkaError.INVALID_CONFIG


@pytest.mark.parametrize("version", range(2, 8))
def test_create_topics_on_the_wire(address: str, topic: str, version: int) -> None:
    """Every version; from v5 on the answer tells partitions and configs, from v7 on the id. Twice named: refused."""
    line = {"name": topic, "num_partitions": 2, "replication_factor": FACTOR, "assignments": []}
    line |= {"configs": [{"name": "retention.ms", "value": "1000"}]}
    twice = line | {"name": f"{topic}-twice"}
    with wire(address) as client:
        good, bad = client.ask(CREATE, version, topics=[line, twice, twice]).topics
        assert (good.name, good.error_code, bad.error_code) == (topic, ErrorCode.none, ErrorCode.invalid_request)
        if version >= 5:
            assert (good.num_partitions, good.replication_factor) == (2, 1)
            (entry,) = [c for c in good.configs if c.name == "retention.ms"]
            assert (entry.value, entry.config_source) == ("1000", 1)
        if version >= 7:
            assert good.topic_id is not None


def test_delete_topic_takes_its_records_and_offsets(admin: AdminClient, address: str, topic: str) -> None:
    """A topic made anew under the same name is empty, has another id, and no group has offsets of it."""
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    consumer = Consumer({"bootstrap.servers": address, "group.id": topic})
    consumer.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
    assert outcome(admin.delete_topics([topic])[topic]) == 0
    assert topic not in admin.list_topics(timeout=10).topics
    assert outcome(admin.delete_topics([topic])[topic]) == KafkaError.UNKNOWN_TOPIC_OR_PART
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    assert consumer.committed([TopicPartition(topic, 0)], timeout=10)[0].offset < 0
    consumer.close()


@pytest.mark.parametrize("version", range(1, 7))
def test_delete_topics_on_the_wire(address: str, admin: AdminClient, topic: str, version: int) -> None:
    """By name in every version, by id in v6."""
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    with wire(address) as client:
        states = [{"name": topic, "topic_id": None}, {"name": "no-such", "topic_id": None}]
        answer = client.ask(DELETE, version, topic_names=[topic, "no-such"], topics=states, timeout=PATIENCE)
        assert {line.name: line.error_code for line in answer.responses} == {
            topic: ErrorCode.none,
            "no-such": ErrorCode.unknown_topic_or_partition,
        }


def test_delete_topics_by_id(address: str, topic: str) -> None:
    """The id that CreateTopics told; an unknown one, and the broker's own topic, are refused."""
    line = {"name": topic, "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
    with wire(address) as client:
        topic_id = client.ask(CREATE, 7, topics=[line]).topics[0].topic_id
        unknown_id = uuid4()
        states = [{"name": None, "topic_id": known} for known in (topic_id, unknown_id)]
        answer = client.ask(DELETE, 6, topics=states, timeout=PATIENCE)
        assert {line.topic_id: (line.name, line.error_code) for line in answer.responses} == {
            topic_id: (topic, ErrorCode.none),
            unknown_id: (None, ErrorCode.unknown_topic_id),
        }
        both = [{"name": topic, "topic_id": topic_id}]
        assert client.ask(DELETE, 6, topics=both, timeout=PATIENCE).responses[0].error_code is ErrorCode.invalid_request


def test_create_partitions_grows_a_topic(admin: AdminClient, topic: str) -> None:
    """The new total; less or the same is refused, so is a topic that is not there; validate_only changes nothing."""
    admin.create_topics([NewTopic(topic, 2)])[topic].result(10)
    grow: Callable[..., int] = lambda n, **o: outcome(  # noqa: E731
        admin.create_partitions([NewPartitions(topic, n)], **o)[topic]
    )
    assert grow(4, validate_only=True) == 0
    assert partitions_of(admin, topic) == 2
    assert grow(4) == 0
    assert partitions_of(admin, topic) == 4
    assert grow(4) == KafkaError.INVALID_PARTITIONS
    assert grow(1) == KafkaError.INVALID_PARTITIONS
    missing = admin.create_partitions([NewPartitions("no-such", 4)])["no-such"]
    assert outcome(missing) == KafkaError.UNKNOWN_TOPIC_OR_PART


@pytest.mark.parametrize("version", range(4))
def test_create_partitions_on_the_wire(address: str, admin: AdminClient, topic: str, version: int) -> None:
    """Assignments must be for the new partitions, one each."""
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    with wire(address) as client:
        for assigned, code in ((1, ErrorCode.invalid_replica_assignment), (2, ErrorCode.none)):
            line = {"name": topic, "count": 3, "assignments": [{"broker_ids": [1]}] * assigned}
            answer = client.ask(GROW, version, topics=[line], timeout=PATIENCE, validate_only=False)
            assert answer.results[0].error_code is code


def test_internal_topic_is_neither_deleted_nor_grown(address: str, admin: AdminClient, topic: str) -> None:
    """All groups live in it."""
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    consumer = Consumer({"bootstrap.servers": address, "group.id": topic})
    consumer.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
    consumer.close()
    name = "__consumer_offsets"
    assert outcome(admin.delete_topics([name])[name]) == KafkaError.INVALID_REQUEST
    assert outcome(admin.create_partitions([NewPartitions(name, 9)])[name]) == KafkaError.INVALID_REQUEST
    assert partitions_of(admin, name) == 1


@pytest.mark.parametrize(
    "assigned", [[(0, [7])], [(0, [1, 1])], [(0, [])], [(0, [-1])], [(1, [1])], [(0, [1]), (0, [1])]]
)
def test_assignment_that_cannot_be_is_refused(address: str, topic: str, assigned: list[tuple[int, list[int]]]) -> None:
    """Other brokers, one twice, none; partitions that are not 0, 1, 2, …; with CreatePartitions, too."""
    line: dict[str, Any] = {"name": topic, "num_partitions": -1, "replication_factor": -1, "configs": []}
    line["assignments"] = [{"partition_index": partition, "broker_ids": replicas} for partition, replicas in assigned]
    with wire(address) as client:
        (answer,) = client.ask(CREATE, 7, topics=[line]).topics
        assert answer.error_code is ErrorCode.invalid_replica_assignment
        if len(assigned) > 1 or assigned[0][0] != 0:
            return
        plain = line | {"num_partitions": 1, "replication_factor": 1, "assignments": []}
        assert client.ask(CREATE, 7, topics=[plain]).topics[0].error_code is ErrorCode.none
        more = {"name": topic, "count": 2, "assignments": [{"broker_ids": assigned[0][1]}]}
        answer = client.ask(GROW, 3, topics=[more], timeout=PATIENCE, validate_only=False)
        assert answer.results[0].error_code is ErrorCode.invalid_replica_assignment


def test_strict_broker_refuses_more_replicas_than_there_are(topic: str) -> None:
    """As one broker of Apache Kafka would."""
    with Broker(options=BrokerOptions(strict_replication=True)) as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        refused = outcome(admin.create_topics([NewTopic(topic, 1, 3)])[topic])
        assert refused == KafkaError.INVALID_REPLICATION_FACTOR
        assert outcome(admin.create_topics([NewTopic(topic, 1, 1)])[topic]) == 0


def test_names_that_differ_in_dot_and_underscore_collide(address: str, topic: str) -> None:
    """Also within one request."""
    lines: list[dict[str, Any]] = [
        {"name": f"{topic}{end}", "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
        for end in (".a", "_a")
    ]
    with wire(address) as client:
        codes = [line.error_code for line in client.ask(CREATE, 7, topics=lines).topics]
        assert codes == [ErrorCode.none, ErrorCode.invalid_topic_exception]
