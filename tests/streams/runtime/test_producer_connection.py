"""What the producer tells of a broker that goes and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer, deadline
from tests.streams.runtime.bench import until


def test_producer_says_once_that_its_broker_is_gone_and_once_that_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What librdkafka reports while nobody answers is no sign of life, nor is a flush of nothing."""

    def told() -> list[str]:
        return [record.getMessage().partition(":")[0] for record in caplog.records]

    def polled() -> bool:
        producer.poll(0.05)
        return bool(told())

    with Broker(in_process=True) as broker, caplog.at_level("INFO", "streams.runtime.connection"):
        producer = RecordProducer(
            WorkerOptions(application_id="orders", bootstrap_servers=broker.bootstrap_servers, state_dir=tmp_path)
        )
        try:
            producer.send("orders", b"before", None, 0, 1)
            producer.flush(give_up=deadline(60))
            broker.shut_down()
            caplog.clear()
            until(polled, "the producer to notice")
            producer.flush(give_up=deadline(60))
            assert told() == ["broker_unreachable"]
            broker.restart()
            producer.send("orders", b"after", None, 0, 2)
            producer.flush(give_up=deadline(60))
            assert told() == ["broker_unreachable", "broker_reachable"]
        finally:
            producer.close()
