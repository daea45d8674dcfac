"""WriteTxnMarkers: an administrator ends a transaction that hangs, by the rules of epochs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire
from tests.broker.transactions.clients import read_all
from tests.broker.transactions.test_transaction_handlers import Producer

MARKERS, DESCRIBE_PRODUCERS, INIT = 27, 61, 22


@pytest.fixture
def own(tmp_path: Path) -> Broker:
    return Broker(data=tmp_path / "data")


def mark(
    client: WireClient,
    topic: str,
    producer: tuple[int, int],
    *,
    version: int = 1,
    partition: int = 0,
    commit: bool = False,
    coordinator_epoch: int = 0,
    transaction_version: int = 0,
) -> ErrorCode:
    marker = {
        "producer_id": producer[0],
        "producer_epoch": producer[1],
        "transaction_result": commit,
        "topics": [{"name": topic, "partition_indexes": [partition]}],
        "coordinator_epoch": coordinator_epoch,
        "transaction_version": transaction_version,
    }
    (line,) = client.ask(MARKERS, version, markers=[marker]).markers
    assert line.producer_id == producer[0]
    return line.topics[0].partitions[0].error_code


def state(client: WireClient, topic: str, producer_id: int) -> Any:
    """What DescribeProducers tells of a producer in partition 0."""
    asked = [{"name": topic, "partition_indexes": [0]}]
    (line,) = client.ask(DESCRIBE_PRODUCERS, 0, topics=asked).topics[0].partitions
    return next(one for one in line.active_producers if one.producer_id == producer_id)


@pytest.mark.parametrize(("version", "commit"), [(1, False), (2, True)])
def test_marker_ends_an_open_transaction(own: Broker, version: int, commit: bool) -> None:
    """What stood behind it is read; what stood in it as the marker says. After a restart, too."""
    with own as broker, wire(broker.bootstrap_servers) as client:
        producer = Producer(client, "tx")
        client.ask(3, 12, topics=[{"topic_id": None, "name": "words"}], allow_auto_topic_creation=True)
        assert producer.add("words") == [ErrorCode.none]
        assert producer.produce("words", "hangs") is ErrorCode.none
        who = (producer.producer_id, producer.epoch)
        assert state(client, "words", who[0]).current_txn_start_offset == 0
        assert read_all(broker.bootstrap_servers, "words") == []
        assert mark(client, "words", who, version=version, commit=commit, coordinator_epoch=3) is ErrorCode.none
        told = state(client, "words", who[0])
        assert (told.current_txn_start_offset, told.coordinator_epoch) == (-1, 3)
        assert read_all(broker.bootstrap_servers, "words") == (["hangs"] if commit else [])
        broker.kill()
        broker.start()
        assert read_all(broker.bootstrap_servers, "words") == (["hangs"] if commit else [])


@pytest.fixture
def client(servers: str) -> Any:
    with wire(servers) as connected:
        yield connected


def test_marker_of_a_lower_epoch_is_refused(client: WireClient, make_topic: Callable[..., str]) -> None:
    """The producer's: 47, the coordinator's: 52; what was written before counts."""
    topic, unknown = make_topic(), 770_001
    assert mark(client, topic, (unknown, 1), coordinator_epoch=-1) is ErrorCode.none
    assert mark(client, topic, (unknown, 1), coordinator_epoch=3) is ErrorCode.none
    assert mark(client, topic, (unknown, 0), coordinator_epoch=5) is ErrorCode.invalid_producer_epoch
    assert mark(client, topic, (unknown, 2), coordinator_epoch=1) is ErrorCode.transaction_coordinator_fenced
    assert mark(client, topic, (unknown, 2), coordinator_epoch=3) is ErrorCode.none


def test_marker_of_transactions_v2_needs_a_higher_epoch(client: WireClient, make_topic: Callable[..., str]) -> None:
    """The same epoch is a repetition, which is done already (KIP-1228)."""
    topic, unknown = make_topic(), 770_002
    end = lambda epoch: mark(client, topic, (unknown, epoch), version=2, transaction_version=2)  # noqa: E731
    assert [end(1), end(1), end(0), end(2)] == [
        ErrorCode.none,
        ErrorCode.none,
        ErrorCode.invalid_producer_epoch,
        ErrorCode.none,
    ]


def test_marker_for_a_partition_that_is_not_there(client: WireClient, make_topic: Callable[..., str]) -> None:
    assert mark(client, make_topic(), (7, 0), partition=9) is ErrorCode.unknown_topic_or_partition
    assert mark(client, "no-such", (7, 0)) is ErrorCode.unknown_topic_or_partition


@pytest.mark.parametrize("claimed", [(7, -1), (-1, 7)])
@pytest.mark.parametrize("transactional_id", [None, "half-claimed"])
def test_init_producer_id_with_half_an_identity_is_refused(
    client: WireClient, transactional_id: str | None, claimed: tuple[int, int]
) -> None:
    fields = Producer.init_fields(Producer(client, "any"))
    fields |= {"transactional_id": transactional_id, "producer_id": claimed[0], "producer_epoch": claimed[1]}
    assert client.ask(INIT, 3, **fields).error_code is ErrorCode.invalid_request


def test_init_producer_id_of_an_idempotent_producer_gives_a_fresh_id(client: WireClient) -> None:
    """As Kafka: nothing is known of it, whatever it says it had."""
    fields = Producer.init_fields(Producer(client, "any")) | {"transactional_id": None}
    first = client.ask(INIT, 5, **fields)
    again = client.ask(INIT, 5, **fields | {"producer_id": first.producer_id, "producer_epoch": 3})
    assert (again.error_code, again.producer_epoch) == (ErrorCode.none, 0)
    assert again.producer_id > first.producer_id
