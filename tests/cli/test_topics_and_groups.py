"""`headrace topics` and `headrace groups` on a broker."""

from __future__ import annotations

import json

from confluent_kafka import Consumer

from broker import Broker
from tests.cli.conftest import Headrace


def test_topics_create_then_list_and_describe(on_broker: Headrace, topic: str) -> None:
    """What was asked for is what is there."""
    done = on_broker("topics", "create", topic, "--partitions", "3", "--config", "retention.ms=-1")
    assert (done.exit_code, done.stderr) == (0, f"created {topic} with 3 partitions\n")
    on_broker("produce", topic, "x", "y", "--partition", "2")
    assert f"{topic}\t3\t2" in on_broker("topics").stdout.splitlines()
    described = json.loads(on_broker("topics", "describe", topic, "--json").stdout)
    assert described == {
        "topic": topic,
        "partitions": [{"partition": p, "first": 0, "next": 2 if p == 2 else 0} for p in range(3)],
        "configs": {"retention.ms": "-1"},
    }


def test_topics_create_twice_fails_with_the_reason(on_broker: Headrace, topic: str) -> None:
    """Exit code 1 and the broker's words."""
    on_broker("topics", "create", topic)
    done = on_broker("topics", "create", topic)
    assert done.exit_code == 1
    assert "already exists" in done.stderr


def test_topics_create_wrong_config_is_refused(on_broker: Headrace, topic: str) -> None:
    """A setting that does not exist is not kept silently."""
    done = on_broker("topics", "create", topic, "--config", "retention.minutes=1")
    assert done.exit_code == 1
    assert "retention.minutes" in done.stderr


def test_topics_delete_asks_and_deletes(on_broker: Headrace, topic: str) -> None:
    """No answer keeps it; --yes does not ask."""
    on_broker("topics", "create", topic)
    assert on_broker("topics", "delete", topic, stdin="n\n").exit_code == 1
    assert topic in on_broker("topics", "list").stdout
    assert on_broker("topics", "delete", topic, "--yes").exit_code == 0
    assert topic not in on_broker("topics", "list").stdout


def test_topics_list_without_internal_leaves_changelogs_out(on_broker: Headrace, topic: str) -> None:
    """Only the topics people made."""
    on_broker("topics", "create", f"{topic}-changelog")
    assert f"{topic}-changelog" in on_broker("topics", "list").stdout
    assert f"{topic}-changelog" not in on_broker("topics", "list", "--no-internal").stdout


def test_groups_describe_shows_lag_and_members(on_broker: Headrace, running_broker: Broker, topic: str) -> None:
    """Committed, end and lag by partition, while a member is there and after it left."""
    on_broker("topics", "create", topic)
    on_broker("produce", topic, "a", "b", "c")
    consumer = Consumer(
        {"bootstrap.servers": running_broker.bootstrap_servers, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        first = consumer.poll(30)
        assert first is not None
        consumer.commit(message=first, asynchronous=False)
        described = json.loads(on_broker("groups", "describe", topic, "--json").stdout)
        assert described["state"] == "stable"
        assert len(described["members"]) == 1
        assert described["partitions"] == [{"topic": topic, "partition": 0, "committed": 1, "end": 3, "lag": 2}]
    finally:
        consumer.close()
    assert f"{topic}\tempty" in on_broker("groups", "list").stdout.splitlines()
    assert on_broker("groups", "describe", topic).stdout == f"{topic}\t0\t1\t3\t2\n"


def test_groups_describe_unknown_group_says_so(on_broker: Headrace) -> None:
    """A group without members and offsets does not exist."""
    done = on_broker("groups", "describe", "nobody")
    assert done.exit_code == 1
    assert "group 'nobody' has no members" in done.stderr
