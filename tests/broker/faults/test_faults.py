"""Faults, killed connections and a moved clock, as clients meet them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker, BrokerError, BrokerOptions
from broker.faults import FaultError
from tests.broker.waits import wait_for


@pytest.fixture(params=["process", "thread"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with Broker(in_process=request.param == "thread") as running:
        yield running


def producer(broker: Broker, **properties: Any) -> Producer:
    return Producer({"bootstrap.servers": broker.bootstrap_servers, "reconnect.backoff.ms": 10, **properties})


def produce(client: Producer, topic: str = "t") -> list[KafkaError | None]:
    """What became of one record."""
    outcomes: list[KafkaError | None] = []
    client.produce(topic, b"v", on_delivery=lambda error, _: outcomes.append(error))
    client.flush(20)
    return outcomes


def end_offset(broker: Broker, topic: str = "t") -> int:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "watermarks"})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
    finally:
        consumer.close()


def make_topic(broker: Broker, topic: str, **config: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, config=config)])[topic].result(10)


def test_error_is_answered_instead_of_carrying_out_and_a_client_retries(broker: Broker) -> None:
    client = producer(broker, **{"retry.backoff.ms": 1})
    assert produce(client) == [None]
    fault = broker.faults.error("Produce", "NOT_ENOUGH_REPLICAS", topic="t", times=2)
    assert produce(client) == [None]
    assert (fault.hits, end_offset(broker)) == (2, 2)


def test_error_that_no_retry_mends_reaches_the_program(broker: Broker) -> None:
    client = producer(broker)
    assert produce(client) == [None]
    with broker.faults.error("Produce", "INVALID_RECORD"):
        (error,) = produce(client)
    assert error is not None
    assert error.code() == KafkaError.INVALID_RECORD
    assert (produce(client), end_offset(broker)) == ([None], 2)


def test_error_after_carrying_out_makes_a_duplicate_of_a_retry_unless_idempotent(broker: Broker) -> None:
    """The fault that idempotent producers exist for."""
    for idempotent, records in ((False, 2), (True, 1)):
        topic = f"idempotent-{idempotent}"
        client = producer(broker, **{"enable.idempotence": idempotent, "retry.backoff.ms": 1, "linger.ms": 0})
        with broker.faults.error("Produce", "REQUEST_TIMED_OUT", after=True, times=1, topic=topic) as fault:
            make_topic(broker, topic)
            assert produce(client, topic) == [None]
            assert fault.hits == 1
        assert end_offset(broker, topic) == records


def test_dropped_answer_is_carried_out_and_times_out(broker: Broker) -> None:
    client = producer(broker, **{"request.timeout.ms": 500, "message.timeout.ms": 1_000, "retries": 0})
    assert produce(client) == [None]
    with broker.faults.drop("Produce", times=1):
        (error,) = produce(client)
    assert error is not None
    assert end_offset(broker) == 2


@pytest.mark.parametrize(("after", "records"), [(False, 2), (True, 3)])
def test_closed_connection_is_opened_again_and_the_request_repeated(broker: Broker, after: bool, records: int) -> None:
    client = producer(broker, **{"retry.backoff.ms": 1})
    assert produce(client) == [None]
    fault = broker.faults.close("Produce", after=after, times=1)
    assert (produce(client), fault.hits) == ([None], 1)
    assert end_offset(broker) == records


def test_delay_holds_back_for_so_long_and_not_others(broker: Broker) -> None:
    client = producer(broker, **{"client.id": "slow"})
    other = producer(broker, **{"client.id": "fast"})
    assert produce(client) == produce(other) == [None]
    broker.faults.delay("Produce", 400, client_id="slow")
    delivered: list[str] = []
    start = time.monotonic()
    client.produce("t", b"v", on_delivery=lambda *_: delivered.append("slow"))
    other.produce("t", b"v", on_delivery=lambda *_: delivered.append("fast"))
    while len(delivered) < 2:
        client.poll(0.01)
        other.poll(0.01)
    assert delivered == ["fast", "slow"]
    assert time.monotonic() - start >= 0.4


def test_delay_of_a_produce_without_answer_holds_back_nothing_else(broker: Broker) -> None:
    """acks=0: there is no answer to wait for, and what comes behind is answered in order."""
    client = producer(broker, acks=0)
    assert produce(client) == [None]
    wait_for(lambda: end_offset(broker) == 1, "the first record")
    with broker.faults.delay("Produce", 50) as fault:
        assert produce(client) == produce(client) == [None]
        wait_for(lambda: end_offset(broker) == 3, "the records")
        assert fault.hits == 2


def test_cleared_faults_strike_no_more(broker: Broker) -> None:
    fault = broker.faults.add("*:close")
    broker.faults.clear()
    assert produce(producer(broker)) == [None]
    with pytest.raises(BrokerError, match="was removed"):
        _ = fault.hits


def test_fault_of_an_unknown_api_is_refused_with_what_was_meant(broker: Broker) -> None:
    with pytest.raises(FaultError, match="did you mean 'Heartbeat'"):
        broker.faults.close("Hartbeat")


def test_killed_connections_are_counted_and_come_back(broker: Broker) -> None:
    client = producer(broker)
    assert produce(client) == [None]
    assert broker.kill_connections() >= 1
    assert produce(client) == [None]


def test_faults_end_with_the_broker() -> None:
    with Broker() as broker:
        broker.faults.close("*")
        broker.restart()
        assert produce(producer(broker)) == [None]
        faults = broker.faults
    with pytest.raises(BrokerError, match="not running"):
        faults.clear()


def test_faults_among_the_options_are_there_from_the_start() -> None:
    options = BrokerOptions(faults=("Produce:error=INVALID_RECORD,times=1",))
    with Broker(options=options) as broker:
        client = producer(broker)
        (error,) = produce(client)
        assert error is not None
        assert produce(client) == [None]


def test_fault_among_the_options_that_is_none_keeps_the_broker_from_starting() -> None:
    with pytest.raises(BrokerError, match="'Prodce'; did you mean 'Produce'"):
        Broker(options=BrokerOptions(faults=("Prodce:close",))).start()


# -- clock -------------------------------------------------------------------------------------------------------------
def test_clock_moved_on_expires_an_open_transaction(broker: Broker) -> None:
    client = producer(broker, **{"transactional.id": "x", "transaction.timeout.ms": 60_000})
    client.init_transactions(10)
    client.begin_transaction()
    client.produce("t", b"v")
    assert client.flush(10) == 0
    broker.advance_clock(timedelta(seconds=61))
    reader = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "g"})
    wait_for(lambda: reader.get_watermark_offsets(TopicPartition("t", 0), timeout=10)[1] == 2, "the abort marker")
    reader.close()
    with pytest.raises(KafkaException):
        client.commit_transaction(10)


def test_clock_moved_on_expels_a_silent_member(broker: Broker) -> None:
    """Its next heartbeat says so, and it joins again."""
    lost: list[object] = []
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "g",
            "session.timeout.ms": 45_000,
            "heartbeat.interval.ms": 100,
            "auto.offset.reset": "earliest",
        }
    )
    assert produce(producer(broker)) == [None]
    consumer.subscribe(["t"], on_lost=lambda _, partitions: lost.append(partitions))
    wait_for(lambda: consumer.poll(0.1) is not None, "the record")
    broker.advance_clock(timedelta(seconds=46))
    wait_for(lambda: (consumer.poll(0.05), lost)[1], "the loss")
    consumer.close()


def test_clock_moved_on_applies_retention_at_once(broker: Broker) -> None:
    make_topic(broker, "t", **{"retention.ms": "3600000"})
    assert produce(producer(broker)) == [None]
    broker.advance_clock(timedelta(hours=2))
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "watermarks"})
    assert consumer.get_watermark_offsets(TopicPartition("t", 0), timeout=10) == (1, 1)
    consumer.close()


def test_clock_does_not_go_back(broker: Broker) -> None:
    with pytest.raises(BrokerError, match="cannot be moved back"):
        broker.advance_clock(timedelta(seconds=-1))
