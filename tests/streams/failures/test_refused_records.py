"""Records that the log does not take: too large ones, and topics that take none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from streams import App, Json, ProduceError
from streams.errors import ConfigError
from streams.plan.task_id import TaskId
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer
from streams.runtime.undone import WorkUndoneError
from tests.streams.runtime.bench import Bench, RunningWorker, until

LIMIT = {"message.max.bytes": 20_000}
QUICKLY = {"topic.metadata.propagation.max.ms": 300}
"""How long librdkafka waits for a topic to be made."""


def blown_up(bench: Bench, store: str | None = None) -> App:
    """Makes values of the size that they say; where a store is named, rows too."""
    app = App(bench.tag)
    stream = app.stream(bench.name("in"), key=str, value=Json())
    if store is None:
        stream.map_values(lambda size: "x" * size, name="blow-up").to(bench.name("out"))
    else:
        stream.group_by_key().aggregate(lambda: "", lambda key, size, row: "x" * size, value=str, store=store)
    return app


def small_topic(bench: Bench, topic: str, **configs: str) -> None:
    """A topic that takes no batches above 20,000 bytes."""
    wanted = NewTopic(bench.name(topic), 1, config=configs or {"max.message.bytes": "20000"})
    [made] = bench.admin.create_topics([wanted]).values()
    made.result(10)


def sizes(bench: Bench, *values: int) -> None:
    bench.produce("in", *((f"k{index}", b"%d" % size, 1_000 + index) for index, size in enumerate(values)))


def run(bench: Bench, app: App, **options: Any) -> RunningWorker:
    return bench.run_in_group(app, **options)


def test_too_large_record_ends_the_worker_with_the_cure(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    sizes(bench, 10, 30_000)
    error = run(bench, blown_up(bench), producer_config=LIMIT).failure()
    assert isinstance(error, ProduceError)
    assert error.topic == bench.name("out")
    assert f"a record for {bench.name('out')}, made of {bench.name('in')}[0] at offset 1, was refused" in str(error)
    assert "raise max.message.bytes of the topic and message.max.bytes of the producer" in str(error)
    assert "production handler" in str(error)


def test_too_large_record_becomes_a_dead_letter_where_the_handler_says_so(bench: Bench) -> None:
    """Under exactly once the transaction it was to be part of is committed without it."""
    bench.topics(**{"in": 1, "out": 1, "dead": 1})
    sizes(bench, 10, 30_000, 20)
    worker = run(
        bench,
        blown_up(bench),
        producer_config=LIMIT,
        production_handler="dead_letter",
        dead_letter_topic=bench.name("dead"),
    )
    until(lambda: worker.processed() == 3, "3 records")
    worker.stop()
    found = bench.read_each("out", "dead")
    assert [len(message.value()) for message in found["out"]] == [12, 22]
    [letter] = found["dead"]
    assert letter.value() == b"30000"
    assert dict(letter.headers())["__streams.errors.exception"] == b"cimpl.KafkaException"
    assert worker.worker.counters()["dead_lettered_production"] == 1


def test_too_large_row_ends_the_worker_naming_the_changelog(bench: Bench) -> None:
    """No handler may let a row of a changelog go missing."""
    bench.topics(**{"in": 1})
    sizes(bench, 10, 30_000)
    error = run(bench, blown_up(bench, "rows"), producer_config=LIMIT, production_handler="continue").failure()
    assert isinstance(error, ProduceError)
    assert error.topic == f"{bench.tag}-rows-changelog"
    assert "raise max.message.bytes" in str(error)


def test_unknown_output_topic_ends_the_worker_naming_it(bench: Bench) -> None:
    bench.topics(**{"in": 1})
    sizes(bench, 10)
    error = run(bench, blown_up(bench), producer_config=QUICKLY).failure()
    assert isinstance(error, ProduceError)
    assert bench.name("out") in str(error)
    assert "create the topic" in str(error)


GUARANTEES = pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])


@GUARANTEES
def test_record_that_only_the_broker_refuses_becomes_a_dead_letter(bench: Bench, guarantee: str) -> None:
    """The client sent it, and hears of it too late: all is done again, and what is not refused counts once."""
    bench.topics(**{"in": 1, "dead": 1})
    small_topic(bench, "out")
    sizes(bench, 10, 30_000, 20, 40_000, 30)
    asked: list[Any] = []

    def aside(failed: Any) -> str:
        asked.append(failed)
        return "dead_letter"

    worker = run(
        bench,
        blown_up(bench),
        processing_guarantee=guarantee,
        production_handler=aside,
        dead_letter_topic=bench.name("dead"),
    )
    until(lambda: worker.worker.counters().get("dead_lettered_production", 0) >= 2, "2 dead letters")
    assert set(worker.heard.tasks) == {frozenset({TaskId(0, 0)})}, "it keeps the task that it opens again"
    worker.stop()
    found = bench.read_each("out", "dead")
    written = [len(message.value()) for message in found["out"]]
    letters = [letter.value() for letter in found["dead"]]
    if guarantee == "exactly_once":
        assert (written, letters) == ([12, 22, 32], [b"30000", b"40000"])
    assert set(written) == {12, 22, 32}
    assert set(letters) == {b"30000", b"40000"}
    assert {failed.offset for failed in asked} == {1, 3}
    assert "takes 20000 in a batch" in str(asked[0].error)


@GUARANTEES
def test_record_that_only_the_broker_refuses_ends_the_worker_naming_what_it_came_of(
    bench: Bench, guarantee: str
) -> None:
    bench.topics(**{"in": 1})
    small_topic(bench, "out")
    sizes(bench, 10, 30_000)
    error = run(bench, blown_up(bench), processing_guarantee=guarantee).failure()
    assert isinstance(error, ProduceError)
    assert f"a record for {bench.name('out')}, made of {bench.name('in')}[0] at offset 1, was refused" in str(error)
    assert "takes 20000 in a batch; raise max.message.bytes of the topic" in str(error)


@GUARANTEES
def test_batches_that_are_too_large_for_a_topic_are_made_smaller(bench: Bench, guarantee: str) -> None:
    """No record is to blame, and none is asked about."""
    bench.topics(**{"in": 1})
    small_topic(bench, "out")
    sizes(bench, *([15_000] * 20))
    worker = run(bench, blown_up(bench), processing_guarantee=guarantee)
    until(lambda: worker.worker.counters().get("commits"), "the commit")
    worker.stop()
    written = [len(message.value()) for message in bench.read("out")]
    assert set(written) == {15_002}
    assert len(written) == 20 or (guarantee == "at_least_once" and len(written) > 20)


def test_record_that_the_broker_finds_invalid_is_the_production_handlers(bench: Bench) -> None:
    """Compacted topics take no records without a key; the broker says which of a batch it means."""
    bench.topics(**{"in": 1})
    small_topic(bench, "out", **{"cleanup.policy": "compact"})
    app = App(bench.tag)
    stream = app.stream(bench.name("in"), key=str, value=Json())
    stream.select_key(lambda key, value: None if value == 2 else key).to(bench.name("out"))
    sizes(bench, 1, 2, 3)
    worker = run(bench, app, production_handler="continue")
    until(lambda: worker.worker.counters().get("skipped_production") == 1, "the record")
    until(lambda: worker.processed() >= 3, "3 records")
    worker.stop()
    assert [message.value() for message in bench.read("out")] == [b"1", b"3"]


def test_row_that_only_the_broker_refuses_ends_the_worker_naming_the_changelog(bench: Bench) -> None:
    bench.topics(**{"in": 1})
    sizes(bench, 10, 30_000)
    error = run(
        bench,
        blown_up(bench, "rows"),
        topic_config={"max.message.bytes": "20000"},
        production_handler="continue",
    ).failure()
    assert isinstance(error, ProduceError)
    assert error.topic == f"{bench.tag}-rows-changelog"
    assert "takes 20000 in a batch; raise max.message.bytes" in str(error)


@GUARANTEES
def test_records_for_an_unknown_topic_become_dead_letters_where_the_handler_says_so(
    bench: Bench, guarantee: str
) -> None:
    """What was done since the last commit is done again, and each record asked about where it is known what it came
    of."""
    bench.topics(**{"in": 1, "dead": 1})
    sizes(bench, 10, 20)
    worker = run(
        bench,
        blown_up(bench),
        producer_config=QUICKLY,
        processing_guarantee=guarantee,
        production_handler="dead_letter",
        dead_letter_topic=bench.name("dead"),
    )
    until(lambda: worker.worker.counters().get("dead_lettered_production") == 2, "2 dead letters")
    worker.stop()
    letters = bench.read("dead")
    assert [letter.value() for letter in letters] == [b"10", b"20"]
    assert dict(letters[0].headers())["__streams.errors.topic"] == bench.name("in").encode()


def test_records_for_an_unknown_topic_are_tried_again_where_the_handler_says_so(bench: Bench) -> None:
    """Until somebody makes the topic. Source: KIP-1065."""
    asked: list[str | None] = []

    def again(failed: Any) -> str:
        asked.append(failed.node)
        if len(asked) == 2:
            [made] = bench.admin.create_topics([NewTopic(bench.name("out"), 1)]).values()
            made.result(10)
        return "retry"

    bench.topics(**{"in": 1})
    sizes(bench, 10)
    worker = run(bench, blown_up(bench), producer_config=QUICKLY, production_handler=again)
    until(lambda: asked[1:] and bench.read("out"), "the record")
    worker.stop()
    assert [len(message.value()) for message in bench.read("out")] == [12]


def test_retry_of_a_record_that_stays_too_large_fails(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    sizes(bench, 30_000)
    error = run(bench, blown_up(bench), producer_config=LIMIT, production_handler=lambda failed: "retry").failure()
    assert isinstance(error, ProduceError)


def test_missing_topic_for_dead_letters_is_told_at_the_start(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    worker = run(
        bench, blown_up(bench), processing_handler="dead_letter", dead_letter_topic=bench.name("dead"), topic_wait_s=0.0
    )
    error = worker.failure()
    assert isinstance(error, ConfigError)
    assert f"headrace topics create {bench.name('dead')}" in str(error)


def test_topic_that_refused_is_tried_again_after_a_while(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have made it, or allowed it, meanwhile."""
    options = WorkerOptions(
        application_id=bench.tag,
        bootstrap_servers=bench.bootstrap_servers,
        state_dir=tmp_path,
        production_handler="continue",
        client_config={"log_level": 0},
    )
    refused: Any = SimpleNamespace(topic=lambda: "out", partition=lambda: 0)
    producer = RecordProducer(options)
    try:
        producer._on_delivery(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), refused)
        with pytest.raises(WorkUndoneError):
            producer.check()
        producer.check()  # once is enough
        with pytest.raises(KafkaException):
            producer.produce("out", b"1", b"k", 0, None, None, 1, None)
        monkeypatch.setattr("streams.runtime.refusals.REFUSED_FOR_S", -1.0)
        producer._on_delivery(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), refused)
        producer.produce("out", b"1", b"k", 0, None, None, 1, None)
    finally:
        producer.close()
