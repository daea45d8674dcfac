"""What groups have committed, also while their coordinator is not there yet."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from streams.cluster.admin import Admin
from streams.query.upstream import GroupLog
from streams.runtime.log_ends import CommittedEnds
from streams.runtime.options import WorkerOptions
from streams.wire import Client, ConnectionFailedError, RefusedError
from streams.wire.group_offsets import committed_offsets

Place = tuple[str, int]
COMMITTED: Mapping[Place, int] = {("in", 0): 3, ("in", 1): 5}
ASKED = {**COMMITTED, ("in", 2): 0}


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Where the groups g and h have committed offsets."""
    with Broker() as broker:
        properties = {"bootstrap.servers": broker.bootstrap_servers}
        admin = AdminClient(properties)
        admin.create_topics([NewTopic("in", 3, 1)])["in"].result(20)
        for group in ("g", "h"):
            consumer = Consumer({**properties, "group.id": group})
            offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in COMMITTED.items()]
            consumer.commit(offsets=offsets, asynchronous=False)
            consumer.close()
        yield broker


def client(broker: Broker) -> Client:
    return Client.of({"bootstrap.servers": broker.bootstrap_servers})


def options(broker: Broker) -> WorkerOptions:
    return WorkerOptions(application_id="g", bootstrap_servers=broker.bootstrap_servers, state_dir=Path())


def by_commands(broker: Broker) -> Mapping[Place, int]:
    return Admin({"bootstrap.servers": broker.bootstrap_servers}).committed("g")


def by_queries(broker: Broker) -> Mapping[Place, int]:
    log = GroupLog(SimpleNamespace(options=options(broker), application_id="g"))  # type: ignore[arg-type]
    return log.committed(ASKED)


def by_standbys(broker: Broker) -> Mapping[Place, int]:
    return CommittedEnds(options(broker)).request(ASKED).result(20)


@pytest.mark.parametrize(
    ("api", "code"),
    [
        ("FindCoordinator", "COORDINATOR_NOT_AVAILABLE"),
        ("OffsetFetch", "NOT_COORDINATOR"),
        ("OffsetFetch", "COORDINATOR_LOAD_IN_PROGRESS"),
    ],
)
@pytest.mark.parametrize("ask", [by_commands, by_queries, by_standbys])
def test_offsets_are_told_when_the_coordinator_is_found(
    broker: Broker, ask: Callable[[Broker], Mapping[Place, int]], api: str, code: str
) -> None:
    """Where librdkafka's admin client ends the process."""
    with broker.faults.error(api, code, times=2) as fault:
        assert ask(broker) == COMMITTED
        assert fault.hits == 2


def test_offsets_of_several_groups_are_told_together(broker: Broker) -> None:
    found = committed_offsets(client(broker), {"h": None, "nobody": None, "g": [("in", 1), ("in", 2)]})
    assert found == {"h": COMMITTED, "nobody": {}, "g": {("in", 1): 5}}
    assert list(found) == ["h", "nobody", "g"]


def test_offsets_that_are_refused_or_never_told_are_errors(broker: Broker) -> None:
    with (
        broker.faults.error("OffsetFetch", "GROUP_AUTHORIZATION_FAILED"),
        pytest.raises(RefusedError, match="group 'g'"),
    ):
        committed_offsets(client(broker), {"g": None})
    with broker.faults.error("OffsetFetch", "NOT_COORDINATOR"), pytest.raises(RefusedError, match="NOT_COORDINATOR"):
        committed_offsets(client(broker), {"g": None}, timeout_s=0.1)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nobody = Client.of({"bootstrap.servers": f"127.0.0.1:{unused.getsockname()[1]}"})
    with pytest.raises(ConnectionFailedError):
        committed_offsets(nobody, {"g": None}, timeout_s=0)
