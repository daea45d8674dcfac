"""How a worker knows the partitions of the topics it writes to, and what goes there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import ClusterMetadata

from streams import App, tumbling
from streams.errors import ProduceError
from streams.partitioner import partition_for_key
from streams.plan.task_id import TaskId
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer
from streams.runtime.undone import WorkUndoneError
from tests.streams.runtime.bench import Bench, until


@contextmanager
def producing(bench: Bench, **config: object) -> Iterator[RecordProducer]:
    producer = RecordProducer(
        WorkerOptions(
            application_id=bench.tag,
            bootstrap_servers=bench.bootstrap_servers,
            state_dir=bench.directory,
            producer_config=config,
        )
    )
    try:
        yield producer
    finally:
        producer.close()


def test_producer_asked_for_a_topic_that_is_not_there_says_how_to_make_it(bench: Bench) -> None:
    bench.topics(out=6)
    with producing(bench, **{"allow.auto.create.topics": False}) as producer:
        assert producer.partitions(bench.name("out")) == 6
        with pytest.raises(ProduceError, match=r"the partitions of '.*-none' are not known: .*headrace topics create"):
            producer.partitions(bench.name("none"))


@pytest.mark.parametrize("code", [KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART])
def test_producer_waits_for_the_leaders_of_a_topic_that_is_just_being_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As a cluster answers that makes topics when they are asked for: not at once."""
    bench.topics(out=6)
    answers = [code, code]

    class Slow(Producer):
        def list_topics(self, topic: str, timeout: float) -> ClusterMetadata:
            found = super().list_topics(topic, timeout)
            if answers:
                found.topics[topic].error, found.topics[topic].partitions = KafkaError(answers.pop()), {}
            return found

    monkeypatch.setattr("confluent_kafka.Producer", Slow)
    with producing(bench) as producer:
        assert producer.partitions(bench.name("out")) == 6
        assert answers == []


def test_failure_of_the_producer_is_not_the_record_s(bench: Bench) -> None:
    """A handler that skips records is not asked about a log that does not answer."""
    with producing(bench) as producer:
        assert FailurePolicy(deserialization="skip", processing="skip", blame=producer.blame).may_skip
        with pytest.raises(ProduceError, match="no answer"):
            producer.blame(ProduceError("no answer"))
        with pytest.raises(WorkUndoneError, match="again"):  # while a record waits for room in the queue
            producer.blame(WorkUndoneError("again"))


def test_worker_sends_windows_of_a_key_to_one_partition_and_others_where_it_is_told(bench: Bench) -> None:
    bench.topics(**{"in": 1, "windows": 4, "told": 3})
    app = App(bench.tag)
    records = app.stream(bench.name("in"), key=str, value=str)
    windows = records.group_by_key().windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0)))
    windows.count(store="counts").to_stream().to(bench.name("windows"))
    records.to(bench.name("told"), partitioner=lambda topic, key, value, count: len(value) % count)
    keys = [f"k{number}" for number in range(8)]
    bench.produce("in", *[(key, b"x" * (1 + second), 1 + second * 1000) for second in range(3) for key in keys])
    worker = bench.run(app, TaskId(0, 0))
    until(lambda: worker.processed() == 24, "24 records")
    worker.stop()
    found = bench.read("windows")
    assert {(message.key()[:-8], message.partition()) for message in found} == {
        (key.encode(), partition_for_key(key.encode(), 4)) for key in keys
    }
    assert len(found) == 24
    assert sorted((len(message.value()) % 3, message.partition()) for message in bench.read("told")) == [
        (place, place) for place in range(3) for _ in keys
    ]
