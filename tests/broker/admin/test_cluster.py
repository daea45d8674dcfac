"""What is said of the cluster: one node that leads, keeps and votes for everything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire

ELECT, REASSIGN, REASSIGNMENTS, DIRS, MOVE, QUORUM, CLUSTER = 43, 45, 46, 35, 34, 55, 60
PATIENCE = timedelta(seconds=10)


@pytest.fixture
def client(address: str) -> Iterator[WireClient]:
    with wire(address) as connected:
        yield connected


@pytest.fixture
def made(admin: AdminClient, topic: str) -> str:
    """A topic of two partitions."""
    admin.create_topics([NewTopic(topic, 2)])[topic].result(10)
    return topic


@pytest.mark.parametrize("version", range(3))
def test_election_is_not_needed(client: WireClient, made: str, version: int) -> None:
    """84 for what is there, 3 for what is not; asked for all, nothing was done."""
    asked = [{"topic": made, "partitions": [0, 9]}, {"topic": "no-such", "partitions": [0]}]
    answer = client.ask(ELECT, version, election_type=0, topic_partitions=asked, timeout=PATIENCE)
    assert [[part.error_code for part in line.partition_result] for line in answer.replica_election_results] == [
        [ErrorCode.election_not_needed, ErrorCode.unknown_topic_or_partition],
        [ErrorCode.unknown_topic_or_partition],
    ]
    everything = client.ask(ELECT, version, election_type=1, topic_partitions=None, timeout=PATIENCE)
    assert (made, ()) in [(line.topic, line.partition_result) for line in everything.replica_election_results]
    if version >= 1:
        strange = client.ask(ELECT, version, election_type=5, topic_partitions=asked[:1], timeout=PATIENCE)
        assert strange.error_code is ErrorCode.invalid_request
        assert strange.replica_election_results[0].partition_result[0].error_code is ErrorCode.invalid_request


@pytest.mark.parametrize("version", range(2))
@pytest.mark.parametrize(
    ("replicas", "code"),
    [
        ([1], ErrorCode.none),
        (None, ErrorCode.no_reassignment_in_progress),
        ([], ErrorCode.invalid_replica_assignment),
        ([2], ErrorCode.invalid_replica_assignment),
        ([1, 1], ErrorCode.invalid_replica_assignment),
    ],
)
def test_reassignment(client: WireClient, made: str, version: int, replicas: list[int] | None, code: ErrorCode) -> None:
    """Only to where the partition is."""

    def reassign(topic: str, partition: int) -> ErrorCode:
        lines = [{"name": topic, "partitions": [{"partition_index": partition, "replicas": replicas}]}]
        answer = client.ask(REASSIGN, version, timeout=PATIENCE, topics=lines)
        assert answer.error_code is ErrorCode.none
        return answer.responses[0].partitions[0].error_code

    assert reassign(made, 0) is code
    assert reassign(made, 7) is ErrorCode.unknown_topic_or_partition
    assert reassign("no-such", 0) is ErrorCode.unknown_topic_or_partition


def test_no_reassignment_is_under_way(client: WireClient, made: str) -> None:
    for topics in (None, [{"name": made, "partition_indexes": [0]}]):
        assert client.ask(REASSIGNMENTS, 0, timeout=PATIENCE, topics=topics).topics == ()


@pytest.mark.parametrize("version", range(1, 5))
def test_log_dirs_tell_real_sizes(tmp_path: Path, version: int) -> None:
    """What stands in the files of a partition, and from v4 on the volume's."""
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce("words", b"x" * 5000)
        assert producer.flush(10) == 0
        (line,) = client.ask(DIRS, version, topics=[{"topic": "words", "partitions": [0, 9]}]).results
        (part,) = line.topics[0].partitions
        logs = tmp_path / "data" / "logs"
        on_disk = sum(path.stat().st_size for path in (logs / "words-0").glob("*.log"))
        assert (line.error_code, line.log_dir) == (ErrorCode.none, str(logs))
        assert part.partition_size == on_disk > 5000
        (line,) = client.ask(DIRS, version, topics=None).results
        assert [topic.name for topic in line.topics] == ["words"]
        if version >= 4:
            assert 0 < line.usable_bytes < line.total_bytes


@pytest.mark.parametrize("version", [1, 2])
def test_replica_can_only_move_to_where_it_is(client: WireClient, made: str, version: int) -> None:
    here = client.ask(DIRS, 4, topics=()).results[0].log_dir

    def move(path: str, partition: int) -> ErrorCode:
        dirs = [{"path": path, "topics": [{"name": made, "partitions": [partition]}]}]
        return client.ask(MOVE, version, dirs=dirs).results[0].partitions[0].error_code

    assert move(here, 0) is ErrorCode.none
    assert move(here, 9) is ErrorCode.unknown_topic_or_partition
    assert move(os.path.join(here, "elsewhere"), 0) is ErrorCode.log_dir_not_found


@pytest.mark.parametrize("version", range(3))
def test_quorum_is_one_voter(client: WireClient, address: str, version: int) -> None:
    """Of the metadata's one partition; of no other topic."""

    def ask(topic: str, partition: int) -> Any:
        return client.ask(
            QUORUM, version, topics=[{"topic_name": topic, "partitions": [{"partition_index": partition}]}]
        )

    answer = ask("__cluster_metadata", 0)
    (line,) = answer.topics[0].partitions
    assert (line.error_code, line.leader_id, line.observers) == (ErrorCode.none, 1, ())
    assert [voter.replica_id for voter in line.current_voters] == [1]
    if version >= 2:
        (listener,) = answer.nodes[0].listeners
        assert f"{listener.host}:{listener.port}" == address
    for topic, partition in (("__cluster_metadata", 1), ("words", 0)):
        assert ask(topic, partition).topics[0].partitions[0].error_code is ErrorCode.unknown_topic_or_partition


@pytest.mark.parametrize("version", range(3))
def test_cluster_is_described(client: WireClient, address: str, version: int) -> None:
    """A broker is no controller (114), and nothing else there is either (115)."""

    def ask(kind: int) -> Any:
        return client.ask(
            CLUSTER,
            version,
            include_cluster_authorized_operations=True,
            endpoint_type=kind,
            include_fenced_brokers=True,
        )

    answer = ask(1)
    (node,) = answer.brokers
    assert (answer.controller_id, f"{node.host}:{node.port}") == (1, address)
    assert answer.cluster_authorized_operations > 0
    if version >= 1:
        for kind, code in ((2, ErrorCode.mismatched_endpoint_type), (9, ErrorCode.unsupported_endpoint_type)):
            refused = ask(kind)
            assert (refused.error_code, refused.brokers) == (code, ())


def test_confluent_admin_elects_and_describes(admin: AdminClient, made: str) -> None:
    """Leaders are elected by librdkafka's call; the description names the leader of each partition."""
    from confluent_kafka import ElectionType, TopicPartition

    outcome = admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(made, 0)]).result(10)
    assert [error.code() for error in outcome.values()] == [ErrorCode.election_not_needed.value]
    described = admin.describe_topics(TopicCollection([made]))[made].result(10)
    assert [partition.leader.id for partition in described.partitions] == [1, 1]
    assert admin.describe_cluster().result(10).controller.id == 1


def test_node_is_known_by_the_id_it_was_given() -> None:
    """Produced to, read by a group and described: whoever names the node names that one."""
    with Broker(config={"node.id": 7}) as broker, wire(broker.bootstrap_servers) as client:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        admin.create_topics([NewTopic("t", 1, replica_assignment=[[7]])])["t"].result(10)
        partition = admin.list_topics("t", timeout=10).topics["t"].partitions[0]
        assert (partition.leader, partition.replicas, partition.isrs) == (7, [7], [7])
        assert [node.id for node in admin.describe_cluster().result(10).nodes] == [7]
        assert client.ask(10, 2, key="g", key_type=0).node_id == 7
