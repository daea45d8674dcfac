"""The producer of transactions on the bundled broker: what readers see, and how it starts over."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from streams.errors import StreamsError
from streams.runtime.options import WorkerOptions
from streams.runtime.transactional_producer import TransactionAbortedError, TransactionalProducer
from tests.streams.runtime.bench import Bench, until

NEVER = lambda: False  # noqa: E731


def opened(bench: Bench, tmp_path: Path, **options: Any) -> TransactionalProducer:
    producer = TransactionalProducer(
        WorkerOptions(
            application_id=bench.tag,
            bootstrap_servers=bench.bootstrap_servers,
            state_dir=tmp_path,
            client_config={"log_level": 0},
            **options,
        ),
        f"{bench.tag}-0",
    )
    producer.open(give_up=NEVER)
    return producer


def committed(bench: Bench, topic: str) -> list[bytes | None]:
    """The values that readers of committed records see, up to the end of partition 0."""
    consumer = Consumer(
        {
            "bootstrap.servers": bench.bootstrap_servers,
            "group.id": "reader",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        consumer.assign([TopicPartition(bench.name(topic), 0, 0)])
        seen: list[bytes | None] = []
        while True:
            message = consumer.poll(10)
            assert message is not None, "no end of the partition"
            if message.error() is not None:
                return seen
            seen.append(message.value())
    finally:
        consumer.close()


def test_records_are_seen_when_the_transaction_is_committed(bench: Bench, tmp_path: Path) -> None:
    bench.topics(out=1)
    producer = opened(bench, tmp_path)
    producer.send(bench.name("out"), b"1", b"k", 0, 1)
    assert producer.pending
    producer.flush(give_up=NEVER)
    assert committed(bench, "out") == []
    producer.commit({}, b"", give_up=NEVER)
    assert not producer.pending
    assert committed(bench, "out") == [b"1"]
    producer.close()


def test_records_of_a_transaction_started_over_are_never_seen(bench: Bench, tmp_path: Path) -> None:
    bench.topics(out=1)
    producer = opened(bench, tmp_path)
    producer.send(bench.name("out"), b"lost", b"k", 0, 1)
    producer.flush(give_up=NEVER)
    producer.start_over(give_up=NEVER)
    producer.send(bench.name("out"), b"kept", b"k", 0, 1)
    producer.commit({}, b"", give_up=NEVER)
    assert committed(bench, "out") == [b"kept"]
    producer.close()


def test_producer_whose_place_was_taken_aborts_and_can_start_over(bench: Bench, tmp_path: Path) -> None:
    """A worker that was paused for too long comes back to a producer that is fenced."""
    bench.topics(out=1)
    first = opened(bench, tmp_path)
    first.send(bench.name("out"), b"zombie", b"k", 0, 1)
    first.flush(give_up=NEVER)
    second = opened(bench, tmp_path)
    second.send(bench.name("out"), b"second", b"k", 0, 1)
    second.commit({}, b"", give_up=NEVER)
    with pytest.raises(TransactionAbortedError):
        first.commit({}, b"", give_up=NEVER)
    first.start_over(give_up=NEVER)
    first.send(bench.name("out"), b"first again", b"k", 0, 1)
    first.commit({}, b"", give_up=NEVER)
    assert committed(bench, "out") == [b"second", b"first again"]
    first.close()
    second.close()


def test_fenced_producer_says_so_when_it_is_only_polled(bench: Bench, tmp_path: Path) -> None:
    bench.topics(out=1)
    first = opened(bench, tmp_path)
    second = opened(bench, tmp_path)
    first.send(bench.name("out"), b"zombie", b"k", 0, 1)
    deadline = time.monotonic() + 20

    def poll() -> None:
        while time.monotonic() < deadline:
            first.poll(0.05)

    with pytest.raises(TransactionAbortedError):
        poll()
    first.close()
    second.close()


def test_fenced_producer_with_refused_records_starts_over(bench: Bench, tmp_path: Path) -> None:
    """The client reports its own end and the end of its records in one call: the first is an exception, under which
    the others must not be taken for a broken client."""
    bench.topics(out=4)
    first = opened(bench, tmp_path)
    first.send(bench.name("out"), b"zombie", b"k", 0, 1)
    first.flush(give_up=NEVER)
    second = opened(bench, tmp_path)

    def send() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for partition in range(4):
                first.send(bench.name("out"), b"zombie", b"k", partition, 1)
            time.sleep(0.001)  # for librdkafka's threads: they find out

    with pytest.raises(TransactionAbortedError):
        send()
    first.start_over(give_up=NEVER)
    first.send(bench.name("out"), b"first again", b"k", 0, 1)
    first.commit({}, b"", give_up=NEVER)
    assert committed(bench, "out") == [b"first again"]
    first.close()
    second.close()


def test_records_refused_to_a_fenced_client_do_not_end_its_successor(bench: Bench, tmp_path: Path) -> None:
    """The old client's reports of its records come when it is already known to be at its end, or not until it is let
    go of: they say what it was told itself, and nothing about records of the next transaction."""
    bench.topics(out=1)
    first = opened(bench, tmp_path)
    first.send(bench.name("out"), b"zombie", b"k", 0, 1)
    first.flush(give_up=NEVER)
    second = opened(bench, tmp_path)
    first.send(bench.name("out"), b"zombie", b"k", 0, 2)  # the partition is in the transaction: the log refuses it
    with pytest.raises(TransactionAbortedError):
        first.commit({}, b"", give_up=NEVER)
    first.start_over(give_up=NEVER)
    first.poll()
    first.send(bench.name("out"), b"first again", b"k", 0, 3)
    first.commit({}, b"", give_up=NEVER)
    first.poll()
    assert committed(bench, "out") == [b"first again"]
    first.close()
    second.close()


def test_producer_has_a_connection_before_it_looks_for_its_coordinator(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise librdkafka waits for half a second, in about every other start."""
    calls: list[str] = []

    class Recording(Producer):
        def list_topics(self, *given: Any, **named: Any) -> Any:
            calls.append("list_topics")
            return super().list_topics(*given, **named)

        def init_transactions(self, *timeout: Any) -> None:
            calls.append("init_transactions")
            super().init_transactions(*timeout)

    monkeypatch.setattr("confluent_kafka.Producer", Recording)
    opened(bench, tmp_path).close()
    assert calls == ["list_topics", "init_transactions"]


FENCED = KafkaError(KafkaError._FENCED, "Producer attempted an operation with an old epoch", True, False, False)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many of the next calls of a name find that the client has come to its end, while nothing was under way."""
    left: Counter[str] = Counter()

    def end(call: str) -> None:
        if left[call] > 0:
            left[call] -= 1
            raise KafkaException(FENCED)

    class Ending(Producer):
        def init_transactions(self, *timeout: Any) -> None:
            end("init_transactions")
            super().init_transactions(*timeout)

        def begin_transaction(self) -> None:
            end("begin_transaction")
            super().begin_transaction()

    monkeypatch.setattr("confluent_kafka.Producer", Ending)
    return left


@pytest.mark.parametrize("call", ["init_transactions", "begin_transaction"])
def test_producer_whose_place_is_taken_while_it_opens_opens_again(
    bench: Bench, tmp_path: Path, ends: Counter[str], call: str
) -> None:
    bench.topics(out=1)
    ends[call] = 2
    producer = opened(bench, tmp_path)
    producer.send(bench.name("out"), b"1", b"k", 0, 1)
    producer.commit({}, b"", give_up=NEVER)
    assert committed(bench, "out") == [b"1"]
    producer.close()


def test_producer_whose_place_is_taken_after_a_commit_can_start_over(
    bench: Bench, tmp_path: Path, ends: Counter[str]
) -> None:
    """The worker hears of it as of a transaction that was given up, and goes on."""
    bench.topics(out=1)
    producer = opened(bench, tmp_path)
    producer.send(bench.name("out"), b"1", b"k", 0, 1)
    ends["begin_transaction"] = 1
    with pytest.raises(TransactionAbortedError):
        producer.commit({}, b"", give_up=NEVER)
    producer.start_over(give_up=NEVER)
    producer.send(bench.name("out"), b"2", b"k", 0, 1)
    producer.commit({}, b"", give_up=NEVER)
    assert committed(bench, "out") == [b"1", b"2"]
    producer.close()


def test_producer_whose_place_is_taken_after_an_abort_starts_over_with_a_new_client(
    bench: Bench, tmp_path: Path, ends: Counter[str]
) -> None:
    bench.topics(out=1)
    producer = opened(bench, tmp_path)
    producer.send(bench.name("out"), b"lost", b"k", 0, 1)
    ends["begin_transaction"] = 1
    producer.start_over(give_up=NEVER)
    producer.send(bench.name("out"), b"kept", b"k", 0, 1)
    producer.commit({}, b"", give_up=NEVER)
    assert committed(bench, "out") == [b"kept"]
    producer.close()


def test_producer_whose_place_is_always_taken_says_so(bench: Bench, tmp_path: Path, ends: Counter[str]) -> None:
    ends["init_transactions"] = 1_000
    with pytest.raises(StreamsError, match=f"{bench.tag}-0.*state directories with different paths"):
        opened(bench, tmp_path)


def test_error_of_produce_is_not_blamed_on_the_record(bench: Bench, tmp_path: Path) -> None:
    producer = opened(bench, tmp_path)
    with pytest.raises(TransactionAbortedError):
        producer.blame(KafkaException(KafkaError(KafkaError._STATE)))
    producer.blame(ValueError("the user's own"))
    producer.close()


def test_producer_whose_end_is_lost_among_other_reports_lets_go(bench: Bench, tmp_path: Path) -> None:
    """A callback of the same call has cleared the exception: Python sees a C function that failed without one."""
    producer = opened(bench, tmp_path)
    client = producer._client

    class Lossy:
        def purge(self) -> None:
            client.purge()

        def flush(self, timeout: float) -> int:
            client.flush(timeout)
            raise SystemError("<method 'flush' of 'cimpl.Producer' objects> returned NULL without setting an exception")

        def poll(self, timeout: float) -> int:
            raise SystemError("something else is broken")

    producer._client = Lossy()  # type: ignore[assignment]
    with pytest.raises(SystemError, match="something else"):
        producer.poll()
    producer.close()


def test_refusal_heard_of_while_the_transaction_is_given_up_is_not_forgotten(bench: Bench, tmp_path: Path) -> None:
    """librdkafka says that the transaction must be aborted before it has reported the records of the batch."""
    [made] = bench.admin.create_topics([NewTopic(bench.name("out"), 1, config={"cleanup.policy": "compact"})]).values()
    made.result(10)
    producer = opened(bench, tmp_path, production_handler="continue")
    client = producer._client

    def doomed() -> bool:
        with pytest.raises(KafkaException) as caught:
            client.begin_transaction()
        return caught.value.args[0].txn_requires_abort()

    producer.send(bench.name("out"), b"without a key", None, 0, 1)
    until(doomed, "the transaction's end")
    producer.start_over(give_up=NEVER)
    with pytest.raises(KafkaException, match="failed to validate record"):
        producer.produce(bench.name("out"), b"without a key", None, 0, None, None, 1, None)
    producer.close()
