"""DescribeTopicPartitions, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.admin.test_metadata import create
from tests.broker.groups.wire import WireClient, wire

DESCRIBE = 75


@pytest.fixture(scope="module")
def client() -> Iterator[WireClient]:
    with Broker() as broker, wire(broker.bootstrap_servers) as client:
        for name, partitions in (("a", 3), ("b", 1), ("c", 4)):
            create(client, name, partitions)
        yield client


def ask(client: WireClient, *names: str, limit: int = 2_000, cursor: tuple[str, int] | None = None) -> Any:
    request = client.ask
    given = None if cursor is None else make_cursor(*cursor)
    topics = [{"name": name} for name in names]
    return request(DESCRIBE, 0, topics=topics, response_partition_limit=limit, cursor=given)


def make_cursor(topic: str, partition: int) -> Any:
    from kio.schema.describe_topic_partitions.v0.request import Cursor
    from kio.schema.types import TopicName
    from kio.static.primitive import i32

    return Cursor(topic_name=TopicName(topic), partition_index=i32(partition))


def found(answer: Any) -> list[tuple[str, list[int]]]:
    return [(topic.name, [one.partition_index for one in topic.partitions]) for topic in answer.topics]


def next_page(answer: Any) -> tuple[str, int] | None:
    cursor = answer.next_cursor
    return None if cursor is None else (cursor.topic_name, cursor.partition_index)


def test_topics_come_in_order_of_name_with_all_there_is(client: WireClient) -> None:
    answer = ask(client, "c", "a", "a")
    assert found(answer) == [("a", [0, 1, 2]), ("c", [0, 1, 2, 3])]
    assert next_page(answer) is None
    partition = answer.topics[0].partitions[0]
    assert (partition.leader_id, partition.replica_nodes, partition.isr_nodes) == (1, (1,), (1,))
    assert (partition.eligible_leader_replicas, partition.last_known_elr) == ((), ())
    assert answer.topics[0].topic_id is not None


def test_no_topics_are_all_topics(client: WireClient) -> None:
    assert [name for name, _ in found(ask(client)) if not name.startswith("__")] == ["a", "b", "c"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 8])
def test_pages_give_every_partition_once(client: WireClient, limit: int) -> None:
    seen: list[tuple[str, int]] = []
    cursor = None
    for _ in range(20):
        answer = ask(client, "a", "b", "c", limit=limit, cursor=cursor)
        page = [(name, partition) for name, partitions in found(answer) for partition in partitions]
        assert 0 < len(page) <= limit
        seen += page
        cursor = next_page(answer)
        if cursor is None:
            break
    assert seen == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("c", 0), ("c", 1), ("c", 2), ("c", 3)]


def test_page_that_ends_with_a_topic_points_to_the_next_one(client: WireClient) -> None:
    assert next_page(ask(client, "a", "b", limit=3)) == ("b", 0)


def test_missing_and_invalid_topics_are_told_and_not_made(client: WireClient) -> None:
    answer = ask(client, "nowhere", "in valid")
    assert [(topic.name, topic.error_code) for topic in answer.topics] == [
        ("in valid", ErrorCode.invalid_topic_exception),
        ("nowhere", ErrorCode.unknown_topic_or_partition),
    ]
    assert ask(client, "nowhere").topics[0].error_code == ErrorCode.unknown_topic_or_partition


def test_cursor_before_the_first_partition_is_refused(client: WireClient) -> None:
    assert ask(client, "a", cursor=("a", -1)).topics[0].error_code == ErrorCode.invalid_request


def test_cursor_of_a_topic_that_is_not_asked_for_is_refused(client: WireClient) -> None:
    answer = ask(client, "a", "b", cursor=("aa", 0))
    assert [(line.name, line.error_code) for line in answer.topics] == [
        ("a", ErrorCode.invalid_request),
        ("b", ErrorCode.invalid_request),
    ]
