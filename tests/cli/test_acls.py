"""`headrace acls` on a broker that keeps entries, and on one that does not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from broker import Broker, BrokerOptions
from tests.cli.conftest import Headrace


@pytest.fixture(scope="module")
def guarded_broker() -> Iterator[Broker]:
    """Open but for what has entries; who connects is User:ANONYMOUS."""
    with Broker(options=BrokerOptions(authorizer=True, allow_everyone_if_no_acl_found=True)) as broker:
        yield broker


@pytest.fixture
def on_guarded(headrace: Headrace, guarded_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Headrace]:
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", guarded_broker.bootstrap_servers)
    yield headrace
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    client = AdminClient({"bootstrap.servers": guarded_broker.bootstrap_servers})
    client.delete_acls([everything])[everything].result(20)


def lines(headrace: Headrace, *words: str) -> list[str]:
    done = headrace("acls", *words)
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()


def test_acls_add_then_list_shows_what_was_added(on_guarded: Headrace) -> None:
    added = on_guarded("acls", "add", "alice", "read", "describe", "--topic", "t", "--group", "g")
    assert (added.exit_code, added.stderr) == (0, "added 4 entries\n")
    on_guarded("acls", "add", "User:*", "all", "--topic", "raw-", "--prefix", "--deny", "--host", "10.0.0.1")
    assert lines(on_guarded) == [
        "User:*\tdeny\tall\ttopic raw-*\t10.0.0.1",
        "User:alice\tallow\tdescribe\tgroup g\t*",
        "User:alice\tallow\tdescribe\ttopic t\t*",
        "User:alice\tallow\tread\tgroup g\t*",
        "User:alice\tallow\tread\ttopic t\t*",
    ]
    assert json.loads(lines(on_guarded, "list", "--principal", "User:*", "--json")[0]) == {
        "resource": "topic",
        "name": "raw-",
        "pattern": "prefixed",
        "principal": "User:*",
        "host": "10.0.0.1",
        "operation": "all",
        "permission": "deny",
    }


def test_acls_list_of_a_name_shows_all_that_counts_for_it(on_guarded: Headrace) -> None:
    """Its own entries, those for a prefix of it and those for all; with --prefix only that prefix's."""
    for arguments in (("raw",), ("raw-1",), ("*",), ("raw-", "--prefix"), ("other",)):
        on_guarded("acls", "add", "alice", "read", "--topic", *arguments)
    shown = [line.split("\t")[3] for line in lines(on_guarded, "list", "--topic", "raw-1")]
    assert shown == ["topic *", "topic raw-*", "topic raw-1"]
    assert len(lines(on_guarded, "list", "--topic", "raw-", "--prefix")) == 1


def test_acls_of_cluster_and_transactional_ids_are_kept(on_guarded: Headrace) -> None:
    on_guarded("acls", "add", "ANONYMOUS", "alter", "describe", "--cluster")  # who speaks here must not be shut out
    on_guarded("acls", "add", "alice", "idempotent-write", "--cluster")
    on_guarded("acls", "add", "alice", "write", "--transactional-id", "x")
    assert lines(on_guarded, "list", "--principal", "alice") == [
        "User:alice\tallow\tidempotent-write\tcluster kafka-cluster\t*",
        "User:alice\tallow\twrite\ttransactional-id x\t*",
    ]


def test_acls_remove_takes_exactly_what_is_named(on_guarded: Headrace) -> None:
    """Asks first; a literal name does not take a prefix, nor one principal another."""
    on_guarded("acls", "add", "alice", "read", "write", "--topic", "t")
    on_guarded("acls", "add", "alice", "read", "--topic", "t", "--prefix")
    on_guarded("acls", "add", "User:*", "read", "--topic", "t")
    kept = on_guarded("acls", "remove", "alice", "--topic", "t", stdin="n\n")
    assert (kept.exit_code, len(lines(on_guarded))) == (1, 4)
    assert "Remove 2 entries?" in kept.stderr
    removed = on_guarded("acls", "remove", "alice", "read", "--topic", "t", "--yes")
    assert (removed.exit_code, removed.stderr) == (0, "removed 1 entry\n")
    assert len(lines(on_guarded)) == 3
    assert on_guarded("acls", "remove", "alice", "--yes").stderr == "removed 2 entries\n"
    assert lines(on_guarded) == ["User:*\tallow\tread\ttopic t\t*"]


def test_acls_remove_what_is_not_there_says_so(on_guarded: Headrace) -> None:
    done = on_guarded("acls", "remove", "nobody", "--yes")
    assert done.exit_code == 1
    assert "headrace acls" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("alice", "read"), "--topic"),
        (("alice", "write", "--group", "g"), "it has: all, read, delete, describe"),
        (("alice", "read", "--topic", "*", "--prefix"), "leave out --prefix"),
        (("alice", "alter", "--cluster", "--prefix"), "--prefix is for"),
        (("alice", "reed", "--topic", "t"), "reed"),
        (("alice", "--topic", "t"), "OPERATION"),
    ],
)
def test_acls_add_of_what_makes_no_sense_is_wrong_usage(
    on_guarded: Headrace, words: tuple[str, ...], told: str
) -> None:
    done = on_guarded("acls", "add", *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert lines(on_guarded) == []


def test_acls_without_authorizer_names_the_cure(on_broker: Headrace) -> None:
    for words in ((), ("add", "alice", "read", "--topic", "t"), ("remove", "alice", "--yes")):
        done = on_broker("acls", *words)
        assert done.exit_code == 1
        assert "authorizer.class.name" in done.stderr


def test_acls_hold_for_consumers(on_guarded: Headrace, guarded_broker: Broker, topic: str) -> None:
    """A client is refused the topic, and then the group, that somebody else has, and told so."""
    on_guarded("topics", "create", topic)
    on_guarded("produce", topic, "x")
    on_guarded("acls", "add", "alice", "read", "--topic", topic)
    assert first_error(guarded_broker, topic) == "TOPIC_AUTHORIZATION_FAILED"
    on_guarded("acls", "remove", "alice", "--yes")
    on_guarded("acls", "add", "alice", "read", "--group", topic)
    assert first_error(guarded_broker, topic) == "GROUP_AUTHORIZATION_FAILED"
    on_guarded("acls", "add", "ANONYMOUS", "read", "--group", topic)
    assert first_error(guarded_broker, topic) is None


def first_error(broker: Broker, topic: str) -> str | None:
    """What a consumer of the topic, in a group of its name, sees first; None: a record."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": topic,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    try:
        seen = consumer.poll(20)
        assert seen is not None
        error = seen.error()
        return None if error is None else error.name()
    except KafkaException as refusal:
        return refusal.args[0].name()
    finally:
        consumer.close()


def test_acls_list_without_the_right_says_so(on_guarded: Headrace) -> None:
    """An empty list would be a lie."""
    on_guarded("acls", "add", "ANONYMOUS", "alter", "--cluster")
    on_guarded("acls", "add", "ANONYMOUS", "describe", "--cluster", "--deny")
    done = on_guarded("acls")
    assert done.exit_code == 1
    assert "describe on the cluster" in done.stderr
