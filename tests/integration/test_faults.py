"""A worker meets a broker that misbehaves, and still counts everything once."""

from __future__ import annotations

import pytest

from broker import Broker
from streams import App, count
from streams.testing.kafka_broker import KafkaBroker


def counting() -> App:
    app = App("faulty-counts", commit_interval=0.05, session_timeout=10)
    app.stream("words", key=str, value=str).group_by_key().aggregate(n=count(), store="counts").to_stream().to("counts")
    return app


def bundled(kafka_broker: KafkaBroker) -> Broker:
    if kafka_broker.bundled is None:
        pytest.skip("faults are the bundled broker's")
    return kafka_broker.bundled


@pytest.mark.parametrize(
    "fault",
    [
        "EndTxn:delay=400,times=3",
        "EndTxn:close,after,times=1",
        "EndTxn:error=COORDINATOR_LOAD_IN_PROGRESS,times=2",
        "Heartbeat:error=NOT_COORDINATOR,group=faulty-counts,times=1",
        "Heartbeat:close,group=faulty-counts,times=1",
        "Produce:error=REQUEST_TIMED_OUT,after,topic=counts,times=2",
        "Produce:close,topic=counts,after,times=1",
        "Fetch:close,topic=words,times=2",
        "TxnOffsetCommit:error=COORDINATOR_NOT_AVAILABLE,times=1",
    ],
)
def test_worker_that_meets_a_fault_counts_each_record_once(fault: str, worker, kafka_broker: KafkaBroker) -> None:  # pyright: ignore
    broker = bundled(kafka_broker)
    run = worker(counting())
    words, counts = run.input_topic("words"), run.output_topic("counts")
    words.pipe("a", key="a")
    assert counts.read().value.n == 1
    placed = broker.faults.add(fault)
    number = 1
    while placed.hits == 0 or number < 20:
        number += 1
        words.pipe("a", key="a")
        assert counts.read().value.n == number
    words.pipe("a", key="a")
    assert counts.read().value.n == number + 1


def test_worker_whose_connections_are_killed_goes_on(worker, kafka_broker: KafkaBroker) -> None:  # pyright: ignore
    broker = bundled(kafka_broker)
    run = worker(counting())
    words, counts = run.input_topic("words"), run.output_topic("counts")
    for number in range(1, 11):
        words.pipe("a", key="a")
        assert counts.read().value.n == number
        if number in (3, 6):
            assert broker.kill_connections() > 0
