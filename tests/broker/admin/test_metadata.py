"""Metadata: what is asked for, what may be made, what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire

METADATA, CREATE = 3, 19


def create(client: WireClient, name: str, partitions: int) -> UUID:
    topic = {"name": name, "num_partitions": partitions, "replication_factor": 1, "assignments": [], "configs": []}
    answer = client.ask(CREATE, 7, topics=[topic], timeout=timedelta(seconds=5), validate_only=False)
    assert answer.topics[0].error_code == ErrorCode.none
    return answer.topics[0].topic_id


@pytest.fixture
def client(broker: Broker) -> Iterator[WireClient]:
    with wire(broker.bootstrap_servers) as client:
        yield client


def ask(client: WireClient, version: int, *names: str | None, topic_id: UUID | None = None, make: bool = False) -> Any:
    topics = [{"name": name, "topic_id": topic_id} for name in names]
    return client.ask(METADATA, version, topics=topics, allow_auto_topic_creation=make)


@pytest.mark.parametrize("version", range(14))
def test_topic_is_told_in_every_version(client: WireClient, version: int) -> None:
    name = f"topic-{uuid4().hex[:8]}"
    topic_id = create(client, name, 2)
    (topic,) = ask(client, version, name).topics
    assert (topic.error_code, topic.name) == (ErrorCode.none, name)
    assert [one.partition_index for one in topic.partitions] == [0, 1]
    if version >= 7:
        assert all(one.leader_epoch >= 0 for one in topic.partitions)
    if version >= 10:
        assert topic.topic_id == topic_id


def test_null_asks_for_all_topics_and_an_empty_list_for_none(client: WireClient) -> None:
    create(client, name := f"topic-{uuid4().hex[:8]}", 1)
    assert name in [topic.name for topic in client.ask(METADATA, 9, topics=None).topics]
    assert ask(client, 9).topics == ()
    assert name in [topic.name for topic in ask(client, 0).topics], "there was no null in version 0"


def test_topic_that_is_asked_for_twice_is_told_once(client: WireClient) -> None:
    create(client, name := f"topic-{uuid4().hex[:8]}", 1)
    assert len(ask(client, 9, name, name).topics) == 1


def test_topic_is_made_only_if_the_client_agrees(client: WireClient) -> None:
    name = f"topic-{uuid4().hex[:8]}"
    assert ask(client, 9, name).topics[0].error_code == ErrorCode.unknown_topic_or_partition
    assert ask(client, 9, name, make=True).topics[0].error_code == ErrorCode.none
    assert ask(client, 3, f"{name}-old").topics[0].error_code == ErrorCode.none, "older clients always agree"


@pytest.mark.parametrize("name", ["", "..", "a b", "x" * 250])
def test_name_that_cannot_be_is_refused(client: WireClient, name: str) -> None:
    for make in (False, True):
        (topic,) = ask(client, 9, name, make=make).topics
        assert (topic.error_code, topic.partitions) == (ErrorCode.invalid_topic_exception, ())


def test_topic_is_found_by_id_from_version_12_on(client: WireClient) -> None:
    topic_id = create(client, name := f"topic-{uuid4().hex[:8]}", 1)
    (topic,) = ask(client, 12, None, topic_id=topic_id).topics
    assert (topic.name, topic.error_code) == (name, ErrorCode.none)
    (topic,) = ask(client, 12, None, topic_id=uuid4()).topics
    assert (topic.name, topic.error_code) == (None, ErrorCode.unknown_topic_id)
    for version in (10, 11):
        (topic,) = ask(client, version, None, topic_id=topic_id).topics
        assert (topic.name, topic.error_code) == ("", ErrorCode.invalid_request)
        (topic,) = ask(client, version, name, topic_id=uuid4()).topics
        assert (topic.name, topic.error_code) == (name, ErrorCode.invalid_request), "an id counts for nothing yet"
