"""The producer of a worker: outputs, repartition topics, changelogs and watermarks go through the one.

Compiled code calls librdkafka's `produce` directly. Delivery is not followed record by record: one callback is called
for failures only and remembers the first, so a `flush` that ends with an empty queue and no failure means that the
broker has acknowledged everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Message as KafkaMessage

from streams.compile.program import Headers, Produce
from streams.errors import ProduceError
from streams.observe import ProducerTimes
from streams.runtime.connection import OUTAGES, ConnectionWatch, client_log
from streams.runtime.internal_topics import admin_client
from streams.runtime.options import WorkerOptions
from streams.runtime.refusals import OF_ONE_RECORD, Refusals, Refused, batch_limit, compresses
from streams.runtime.refused_record import cure
from streams.runtime.topic_configs import max_message_bytes
from streams.runtime.undone import WorkUndoneError
from streams.sent_time import LEAST_TIME

FULL_QUEUE_WAIT_S = 0.05
HURRY_S = 0.001
"""Long enough for librdkafka's threads to wake up: they send what lingers only if they see a flush under way."""
FLUSH_SLICE_S = 0.25
COUNT_AGE_S = 300.0
"""For so long a topic is believed to have the partitions it had; librdkafka's own `metadata.max.age.ms` is 15 min."""
COUNT_TIMEOUT_S = 10.0
COUNT_RETRY_S = 0.1
RETRY_PAUSE_S = 0.25
ANSWER_WAIT_S = 1.0
ALONE_WAIT_S = 5.0
"""So long a record that is to be alone in its batch waits for others to be gone, and others for it."""
LONGEST_KEY = 64
"""Bytes of a key that are told."""
MOST_REDONE = 100
"""So many times in a row the log refuses records that it had not refused before, and no commit comes through."""
PURGED = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)  # pyright: ignore[reportPrivateUsage]
UNKNOWN = (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)  # pyright: ignore[reportPrivateUsage]
WHOLE_TOPIC = (*UNKNOWN, KafkaError.TOPIC_AUTHORIZATION_FAILED)
"""What is said of a record, but is no fault of that record."""
NEW = frozenset({KafkaError.LEADER_NOT_AVAILABLE})
"""What is said of a topic for a moment after it was made; one that the question itself makes is unknown before that."""
PASSING = OUTAGES | {
    KafkaError._MSG_TIMED_OUT,  # pyright: ignore[reportPrivateUsage]
    KafkaError._TIMED_OUT_QUEUE,  # pyright: ignore[reportPrivateUsage]
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
}
"""What passes by itself, and took longer than the client waits for it. Source: `RetriableException`."""
LOST_EXCEPTION = "returned NULL without setting an exception"
"""Python's words for a C function that raised nothing, though it said that it did."""


def producer_config(options: WorkerOptions) -> dict[str, Any]:
    """librdkafka's properties, each with its reason; the user's are stronger."""
    return {
        **options.client("producer"),
        "partitioner": "murmur2_random",  # Kafka's own; librdkafka's default puts keys elsewhere than Java does
        "enable.idempotence": True,  # order within a partition survives retries: watermarks rely on it
        "linger.ms": 20,
        "batch.size": 1_000_000,
        "batch.num.messages": 10_000,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 65_536,
        "delivery.report.only.error": True,
        **options.producer_config,
    }


class RecordProducer:
    """Owned by the stream thread. `produce` is what compiled code calls; a full queue raises BufferError."""

    def __init__(self, options: WorkerOptions, more: Mapping[str, Any] | None = None) -> None:
        """`more`: properties of a special kind of producer."""
        self._watch = ConnectionWatch(options.bootstrap_servers, "producer")
        self._failure: ProduceError | None = None
        self._asks = options.production_handler != "fail"
        self._undo: WorkUndoneError | None = None
        self._refused: list[Refused] = []  # what the next `check` looks at
        self._redone = 0
        self._counts: dict[str, tuple[int, float]] = {}  # topic -> (its partitions, when to ask again)
        self.times = ProducerTimes()
        self.never_refused: Collection[str] = ()
        """Topics of which no handler may let a record go missing: changelogs, and those of dead letters."""
        config = producer_config(options) | dict(more or {})
        self._refusals = Refusals(batch_limit(config), compressed=compresses(config))
        creates = str(config.get("allow.auto.create.topics", True)).lower() == "true"
        self._not_yet = NEW | {KafkaError.UNKNOWN_TOPIC_OR_PART} if creates else NEW
        self._options = options
        config["on_delivery"] = self._on_delivery
        self._config = config
        self._connect()

    def _connect(self) -> None:
        """Makes the client."""
        self._config["error_cb"] = self._watch.on_error
        if self._refusals.batch_bytes < batch_limit(self._config):
            self._config["batch.size"] = self._refusals.batch_bytes
        self._client = confluent_kafka.Producer(self._config, logger=client_log)
        self.produce = cast(Produce, self._produce_unless_refused if self._refusals else self._client.produce)

    def produce_full(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        callback: None,
        on_delivery: None,
        timestamp: int,
        headers: Headers | None,
        /,
    ) -> None:
        """Sends one record when the queue was full, waiting until there is room. Raises ProduceError."""
        while True:
            with self.times.taking("bufferpool_wait"):
                self.poll(FULL_QUEUE_WAIT_S)
            try:
                self.produce(topic, value, key, partition, callback, on_delivery, timestamp, headers)
                return
            except BufferError:
                continue

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        timestamp: int,
        headers: Headers | None = None,
    ) -> None:
        """Sends one record, waiting for room in the queue if need be. Raises ProduceError."""
        try:
            try:
                self.produce(topic, value, key, partition, None, None, timestamp or LEAST_TIME, headers)
            except BufferError:
                self.produce_full(topic, value, key, partition, None, None, timestamp or LEAST_TIME, headers)
        except KafkaException as raised:
            self.blame(raised)
            error: KafkaError = raised.args[0]
            raise ProduceError(
                f"a record for {topic} was refused: {error.str()}; {cure(error)}", topic=topic
            ) from raised

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has, as the broker said a few minutes ago at most. Raises ProduceError if it has
        never said."""
        count, ask_at = self._counts.get(topic, (0, 0.0))
        if count and time.monotonic() < ask_at:
            return count
        give_up_at = time.monotonic() + COUNT_TIMEOUT_S
        error, now = self._described(topic)
        while error is not None and error.code() in self._not_yet and not count and time.monotonic() < give_up_at:
            self.poll(COUNT_RETRY_S)
            error, now = self._described(topic)
        if error is not None and not count:
            raise ProduceError(
                f"the partitions of {topic!r} are not known: {error.str()}; {cure(error)}",
                topic=topic,
                retriable=error.retriable(),
            )
        self._counts[topic] = (now or count, time.monotonic() + COUNT_AGE_S)
        return now or count

    def _described(self, topic: str) -> tuple[KafkaError | None, int]:
        """What the broker says about a topic: an error, or how many partitions it has."""
        try:
            found = self._client.list_topics(topic, timeout=COUNT_TIMEOUT_S).topics[topic]
        except KafkaException as raised:
            return raised.args[0], 0
        return found.error, len(found.partitions)

    def poll(self, timeout_s: float = 0) -> None:
        """Serves delivery reports. Raises ProduceError if a record was refused."""
        self._serving(lambda: self._client.poll(timeout_s))  # what it serves are complaints: no sign that one answers
        self.check()

    def flush(self, *, give_up: Callable[[], bool]) -> None:
        """Returns when the broker has acknowledged every record.

        Args:
            give_up: asked now and then while the broker does not answer; True ends the wait.

        Raises:
            WorkUndoneError: as `check`.
            ProduceError: a record was refused, or `give_up` said so (then retriable).
        """
        awaited = self._under_way()
        while True:
            with self.times.taking("flush"):
                left = self._serving(lambda: self._client.flush(FLUSH_SLICE_S))
            self.check()
            if left == 0:
                self._acknowledged()
                if awaited:
                    self._watch.alive()
                return
            if give_up():
                raise ProduceError(
                    f"{left} records were not acknowledged by the broker in time: they will be processed again "
                    "after a restart; check that the broker is reachable",
                    retriable=True,
                )

    def hurry(self) -> None:
        """Has what is queued sent at once, rather than when a batch is full or has waited for `linger.ms`. Returns
        before it is acknowledged."""
        self._serving(lambda: self._client.flush(HURRY_S))

    def _under_way(self) -> bool:
        """Whether records are not acknowledged yet: what is in the queue when reports are out of it."""
        self._serving(lambda: self._client.poll(0))
        return len(self._client) > 0

    def blame(self, cause: BaseException | None) -> None:
        """Raises if `cause`, which ended the processing of a record, says that the producer cannot go on, or that work
        is to be done again: then the record is not to blame."""
        if isinstance(cause, ProduceError | WorkUndoneError):
            raise cause

    def check(self) -> None:
        """Raises the first failure there was; it stays. Raises WorkUndoneError once where records were refused about
        which the production handler is to be asked, or did not arrive in time."""
        self._look_at_refused()
        undo, self._undo = self._undo, None
        if undo is not None and self._failure is None:
            raise undo
        if self._failure is not None:
            raise self._failure
        if self._watch.fatal is not None:
            raise ProduceError(f"the producer cannot go on: {self._watch.fatal.str()}; restart the worker")

    def retry(self, cause: BaseException | None) -> None:
        """Raises WorkUndoneError, so that a record is tried again that a topic has just refused; returns if that would
        be in vain. Source: KIP-1065, which allows it for errors that pass by themselves."""
        error = cause.args[0] if isinstance(cause, KafkaException) else None
        if error is not None and (error.retriable() or error.code() in UNKNOWN):
            self._refusals.forget()
            time.sleep(RETRY_PAUSE_S)
            raise WorkUndoneError(f"the production handler has a record tried again ({error.str()})")

    def start_over(self, *, give_up: Callable[[], bool]) -> None:
        """Returns when nothing is under way any more of what was sent since the last commit, and the broker answers.

        Raises:
            StreamsError: the broker does not answer, and `give_up` said so.
        """
        while self._serving(lambda: self._client.flush(FLUSH_SLICE_S)) or not self._answers():
            if give_up():
                raise ProduceError("nothing can be sent; check that the broker is reachable", retriable=True)
        self._look_at_refused()
        self._undo = None
        if self._refusals.batch_bytes < batch_limit(self._config):
            self.close()
            self._connect()

    def _answers(self) -> bool:
        """Whether the broker does, when it is asked about a topic that is there."""
        topic = next((name for name in self.never_refused if name), None)
        try:
            self._client.list_topics(topic, timeout=ANSWER_WAIT_S)
        except KafkaException:
            return False
        self._watch.alive()
        return True

    def close(self, *, timeout_s: float = 0) -> None:
        """Lets go of the client; records that are not acknowledged within the time are given up."""
        if timeout_s:
            self._serving(lambda: self._client.flush(timeout_s))
        self._client.purge()
        self._serving(lambda: self._client.flush(1.0))

    def _produce_unless_refused(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, *record: Any
    ) -> None:
        """Takes the place of the client's own once a record was refused: the next one is refused where its operator
        hands it over, where it is known what it came of."""
        error = self._refusals.find(topic, key, value)
        if error is not None:
            raise KafkaException(error)
        alone = self._refusals.alone(topic, key, value)
        if alone:
            self._serving(lambda: self._client.flush(ALONE_WAIT_S))
        self._client.produce(topic, value, key, partition, *record)
        if alone:
            self._serving(lambda: self._client.flush(ALONE_WAIT_S))

    def _serving(self, call: Callable[[], int]) -> int:
        """Calls what serves the client's events. A client that has come to its end raises there what `check` says.

        If the same call had more to report, the reports were made with that exception pending, in which Python sees a
        broken C function: the exception is then the cause of a SystemError. Or one of the reports has cleared it; what
        ended the client ends its next call as well.
        """
        try:
            return call()
        except (KafkaException, SystemError) as raised:
            end: BaseException | None = raised
            while isinstance(end, SystemError):
                end = end.__cause__
            if end is None and LOST_EXCEPTION in str(raised):
                return 0
            if not isinstance(end, KafkaException):
                raise
            self._watch.on_error(end.args[0])
            return 0

    def _on_delivery(self, error: KafkaError | None, message: KafkaMessage) -> None:
        if error is None or self._failure is not None:
            return
        if error.code() in PURGED:
            return  # our own close
        topic, partition, code = message.topic() or "", message.partition(), error.code()
        if code == KafkaError._INVALID_DIFFERENT_RECORD:  # pyright: ignore[reportPrivateUsage]
            return  # it was in a batch with others that are invalid, of which there is word too
        if code in PASSING:
            self._undo = WorkUndoneError(f"a record for {topic}[{partition}] did not arrive in time ({error.str()})")
        elif self._asks and code in WHOLE_TOPIC and topic not in self.never_refused:
            self._refusals.topic(topic, error)
            self.produce = self._produce_unless_refused
            self._undo = WorkUndoneError(f"{topic} takes no records ({error.str()}): the production handler is asked")
        elif code in OF_ONE_RECORD:
            self._refused.append(Refused(topic, partition, message.key(), message.value(), error))
        else:
            self._failure = self._refusal(Refused(topic, partition, message.key(), message.value(), error))

    def _look_at_refused(self) -> None:
        """Finds out which records the log did not mean, and what is to be done about those that it did."""
        if not self._refused:
            return
        refused, self._refused = self._refused, []
        before = self._refusals.batch_bytes
        meant = self._refusals.learn(refused, self._max_message_bytes)
        final = [each for each in meant if each.topic in self.never_refused]
        self._redone += 1
        if final or self._redone > MOST_REDONE:
            self._failure = self._failure or self._refusal((final or meant or refused)[0])
        elif meant:
            which = meant[0]
            self._undo = WorkUndoneError(
                f"{which.topic} refused {len(meant)} records ({which.error.str()}): the production handler is asked"
            )
        else:
            batch_bytes = self._refusals.batch_bytes
            change = (
                "they are sent one by one" if batch_bytes == before else f"batches have {batch_bytes} bytes at most"
            )
            self._undo = WorkUndoneError(
                f"{refused[0].topic} refused {len(refused)} records together ({refused[0].error.str()}): {change} "
                "from now on"
            )

    def _max_message_bytes(self, topic: str) -> int | None:
        return max_message_bytes(admin_client(self._options), topic)

    def _refusal(self, refused: Refused) -> ProduceError:
        """What is told where the worker has to end."""
        key = "" if refused.key is None else f" with key {refused.key[:LONGEST_KEY]!r}"
        error = self._refusals.find(refused.topic, refused.key, refused.value) or refused.error
        return ProduceError(
            f"a record for {refused.topic}[{refused.partition}]{key} was refused: {error.str()}; {cure(error)}",
            topic=refused.topic,
            partition=refused.partition,
            retriable=error.retriable(),
        )

    def _acknowledged(self) -> None:
        """Everything that was sent counts."""
        self._redone = 0
        self._refusals.committed()


def deadline(timeout_s: float, also: Callable[[], bool] = lambda: False) -> Callable[[], bool]:
    """A `give_up` for `flush`: after `timeout_s` seconds, or when `also` says so."""
    end = time.monotonic() + timeout_s
    return lambda: also() or time.monotonic() >= end
