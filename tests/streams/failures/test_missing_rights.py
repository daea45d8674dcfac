"""An application that lacks one right: what it is told, and that nothing was done by halves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from broker.security.acl import Acl, AclPermission
from broker.security.operation import AclOperation
from broker.security.principal import ANONYMOUS
from broker.security.resource import PatternType, ResourceType
from streams import App, StreamsError
from tests.broker.security.guarded_broker import GuardedBroker
from tests.streams.runtime.bench import Bench, until

PREFIXED = PatternType.PREFIXED
TOPIC, GROUP, TRANSACTION = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID


def allowed(operation: AclOperation, kind: ResourceType, name: str, pattern: PatternType = PatternType.LITERAL) -> Acl:
    return Acl(kind, name, pattern, str(ANONYMOUS), "*", operation, AclPermission.ALLOW)


READ_SOURCE = allowed(AclOperation.READ, TOPIC, "orders")
WRITE_SINK = allowed(AclOperation.WRITE, TOPIC, "counted")
OWN_TOPICS = allowed(AclOperation.ALL, TOPIC, "shop", PREFIXED)
OWN_GROUP = allowed(AclOperation.ALL, GROUP, "shop", PREFIXED)
OWN_TRANSACTIONS = allowed(AclOperation.ALL, TRANSACTION, "shop", PREFIXED)
ALL = (READ_SOURCE, WRITE_SINK, OWN_TOPICS, OWN_GROUP, OWN_TRANSACTIONS)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path / "data", auto_create_topics=False) as broker:
        for topic in ("orders", "counted"):
            broker.call(broker.state.create_topic, topic, 1)
        write = allowed(AclOperation.WRITE, TOPIC, "orders")
        broker.call(broker.authorizer.replace, {write: None})
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})
        producer.produce("orders", b"{}", b"k")
        assert producer.flush(20) == 0
        yield broker


def counting() -> App:
    app = App("shop")
    app.stream("orders", key=str, value=dict).group_by_key().count(store="n").to_stream().to("counted", value=int)
    return app


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        pytest.param(
            READ_SOURCE, r"'orders' is not there for this user: allow this user to read", id="reading its source"
        ),
        pytest.param(WRITE_SINK, r"'?counted.*allow this user to write the topic", id="writing its output"),
        pytest.param(OWN_TOPICS, r"'shop-n-changelog' cannot be created.*headrace topics create", id="its own topics"),
        pytest.param(OWN_GROUP, r"may not use the group 'shop': allow", id="its group"),
        pytest.param(
            OWN_TRANSACTIONS,
            r"transactions cannot be prepared.*allow this user to write and describe transactional ids",
            id="its transactions",
        ),
    ],
)
def test_worker_that_lacks_a_right_ends_with_what_to_allow(
    guarded: GuardedBroker, tmp_path: Path, lacking: Acl, told: str
) -> None:
    guarded.call(guarded.authorizer.replace, dict.fromkeys(each for each in ALL if each is not lacking))
    with Bench(guarded.bootstrap_servers, tmp_path, "shop") as bench:
        error = bench.run_in_group(counting(), topic_wait_s=0.0, connect_timeout_s=5.0).failure()
    assert isinstance(error, StreamsError)
    with pytest.raises(StreamsError, match=told):
        raise error


def test_records_for_a_topic_that_may_not_be_written_become_dead_letters(
    guarded: GuardedBroker, tmp_path: Path
) -> None:
    guarded.call(guarded.state.create_topic, "dead", 1)
    rights = (READ_SOURCE, OWN_TOPICS, OWN_GROUP, OWN_TRANSACTIONS, allowed(AclOperation.WRITE, TOPIC, "dead"))
    guarded.call(guarded.authorizer.replace, dict.fromkeys(rights))
    with Bench(guarded.bootstrap_servers, tmp_path, "shop") as bench:
        worker = bench.run_in_group(counting(), production_handler="dead_letter", dead_letter_topic="dead")
        until(lambda: worker.worker.counters().get("dead_lettered_production") == 1, "a dead letter")
        until(lambda: worker.heard.commits, "the commit")
        worker.stop()
