"""The producer of a worker that processes exactly once: everything it sends belongs to the transaction that is open.

    open ──► ( send … ──► commit ──► )*          a transaction begins as soon as the last one has ended
                    └──► start_over ─►

librdkafka says of each failure which it is: to be repeated, to be answered by an abort, or the end of the client. A
client comes to its end when the broker gave up on its transaction (the process was stopped for longer than the
transaction timeout) or when another one with the same id has begun. Which of the two it is the group knows: a worker
whose place was taken is told so there. So here both are answered alike, with a new client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from streams.compile.program import Headers
from streams.errors import StreamsError
from streams.runtime.connection import OUTAGES
from streams.runtime.membership import CommittedOffset
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import PASSING, RecordProducer
from streams.runtime.router import Place
from streams.runtime.undone import WorkUndoneError

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 1.0
"""How long one call may block; it is repeated until the caller gives up."""
ABORT_TIMEOUT_S = 5.0
TELL_AFTER_TRIES = 3
OPEN_TRIES = 5
"""Another client that opens the same id at the same time may end ours; once or twice, unless two workers share it."""

BUSY = OUTAGES | {
    KafkaError.CONCURRENT_TRANSACTIONS,  # the broker is still ending the one before
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
"""Passes by itself: librdkafka repeats these too, but says that they are final when a call's time is over."""

ENDED = frozenset(
    {
        KafkaError._FENCED,  # pyright: ignore[reportPrivateUsage]
        KafkaError._FATAL,  # pyright: ignore[reportPrivateUsage]
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)
"""The client is of no use any more."""
REFUSED = ENDED | {KafkaError._STATE}  # pyright: ignore[reportPrivateUsage]
"""What `produce` says when the transaction cannot be committed any more."""
OF_TRANSACTION = (
    PASSING
    | ENDED
    | {
        KafkaError.INVALID_TXN_STATE,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.UNKNOWN_PRODUCER_ID,
        KafkaError.TRANSACTION_ABORTABLE,
    }
)
"""Refuses the transaction rather than the record it is said of: librdkafka answers with an abort, or comes to its end.
Source: `RecordCollectorImpl.recordSendError`, where Kafka Streams has the task processed again, too."""


class TransactionAbortedError(WorkUndoneError):
    """What was sent in the transaction will never be seen; `start_over` is to be called."""

    event = "transaction_aborted"


class TransactionalProducer(RecordProducer):
    """Owned by the stream thread. `transactional_id` is the worker's own and the same after a restart."""

    def __init__(self, options: WorkerOptions, transactional_id: str) -> None:
        self._transactional_id = transactional_id
        super().__init__(
            options,
            {
                "transactional.id": transactional_id,
                "transaction.timeout.ms": options.transaction_timeout_ms,
                "message.timeout.ms": options.transaction_timeout_ms,
            },
        )
        self._began = False
        self.pending = False
        """Whether the worker itself has sent something (watermarks, changelogs) since the last commit: then the
        transaction is open at the broker too, which does not let it stay so for long."""

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        timestamp: int,
        headers: Headers | None = None,
    ) -> None:
        self.pending = True
        super().send(topic, value, key, partition, timestamp, headers)

    def open(self, *, give_up: Callable[[], bool]) -> None:
        """Ends whatever a predecessor with the same id left open, and begins the first transaction.

        Raises:
            StreamsError: the broker does not answer, or has no transactions; or others took the id again and again.
        """
        for _ in range(OPEN_TRIES):
            try:
                with self.times.taking("txn_init"):
                    self._repeat(self._connected, give_up, "transactions cannot be prepared")
                    self._repeat(self._client.init_transactions, give_up, "transactions cannot be prepared")
                self._begin()
            except TransactionAbortedError as error:
                log.info("transaction_taken: %s; opened again", error)
                self._renew()
            else:
                return
        raise StreamsError(
            f"transactions cannot be prepared: another client took {self._transactional_id!r} {OPEN_TRIES} times while "
            "it was being opened; workers on hosts of the same name need state directories with different paths"
        )

    def _connected(self, timeout_s: float) -> None:
        """Waits for a connection. A client that has none looks for its transactions' coordinator again after 500 ms
        only, however soon it gets one: `rd_kafka_txn_coord_query` of librdkafka."""
        self._client.list_topics(timeout=timeout_s)

    def commit(
        self, offsets: Mapping[Place, CommittedOffset], group_metadata: bytes, *, give_up: Callable[[], bool]
    ) -> None:
        """Commits what was sent together with the offsets, and begins the next transaction.

        Raises:
            TransactionAbortedError: nothing of it counts.
            StreamsError: the outcome is unknown, since the broker does not answer and `give_up` said so.
        """
        if offsets:
            self.hurry()  # records are on their way while the coordinators are asked
            positions = [
                TopicPartition(topic, partition, offset.offset, offset.metadata)
                for (topic, partition), offset in offsets.items()
            ]
            with self.times.taking("txn_send_offsets"):
                self._repeat(
                    lambda timeout_s: self._client.send_offsets_to_transaction(positions, group_metadata, timeout_s),
                    give_up,
                    "offsets cannot be committed",
                )
        with self.times.taking("txn_commit"):
            self._repeat(self._client.commit_transaction, give_up, "the transaction cannot be committed")
        self._acknowledged()
        self._begin()

    def start_over(self, *, give_up: Callable[[], bool]) -> None:
        """What was sent since the last commit is never seen; the next transaction begins.

        Raises:
            StreamsError: the broker does not answer, and `give_up` said so.
        """
        self._look_at_refused()
        aborted = self._began and self._abort()
        self._look_at_refused()  # some are heard of only while the transaction is given up
        self._undo = None
        if not self._began:
            return
        self._began = False
        if aborted and not self._refusals:  # refused batches leave gaps in a client's sequence numbers
            with suppress(TransactionAbortedError):
                self._begin()
                return
        self._renew()
        self.open(give_up=give_up)

    def _abort(self) -> bool:
        """Whether the transaction was ended with this client; if not, its successor ends it."""
        if self._watch.fatal is not None or self._refusals:
            return False
        try:
            with self.times.taking("txn_abort"):
                self._client.abort_transaction(ABORT_TIMEOUT_S)
        except KafkaException as error:
            log.info("transaction_abandoned: %s", error.args[0].str())
            return False
        return True

    def blame(self, cause: BaseException | None) -> None:
        if isinstance(cause, KafkaException) and cause.args[0].code() in REFUSED:
            raise TransactionAbortedError(f"the transaction was given up ({cause.args[0].str()})") from cause
        super().blame(cause)

    def check(self) -> None:
        fatal = self._watch.fatal
        if fatal is not None and fatal.code() in ENDED:
            raise TransactionAbortedError(f"the broker has given up the transaction ({fatal.str()})")
        super().check()

    def _renew(self) -> None:
        """A new client in the place of one that has come to its end."""
        self.close()
        self._watch = self._watch.renewed()
        self._connect()

    def _begin(self) -> None:
        """Raises TransactionAbortedError where the client has come to its end meanwhile."""
        try:
            with self.times.taking("txn_begin"):
                self._client.begin_transaction()
        except KafkaException as raised:
            raise TransactionAbortedError(f"no transaction can begin ({raised.args[0].str()})") from raised
        self._began = True
        self.pending = False

    def _repeat(self, call: Callable[[float], Any], give_up: Callable[[], bool], what: str) -> None:
        """Repeats a call while librdkafka says that it may be repeated."""
        tries = 0
        while True:
            try:
                call(CALL_TIMEOUT_S)
            except KafkaException as raised:
                error: KafkaError = raised.args[0]
                if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                    raise StreamsError(f"{what}: {error.str()}; {cure(error)}") from raised
                if error.txn_requires_abort() or error.fatal() or error.code() in ENDED:
                    raise TransactionAbortedError(f"the transaction was given up ({error.str()})") from raised
                if not (error.retriable() or error.code() in BUSY) or give_up():
                    raise StreamsError(f"{what}: {error.str()}; {cure(error)}") from raised
                tries += 1
                if tries == TELL_AFTER_TRIES:
                    log.warning("transaction_waits: %s so far: %s; tried again", what, error.str())
            else:
                self._watch.alive()
                return

    def _on_delivery(self, error: KafkaError | None, message: KafkaMessage) -> None:
        """A record that only came too late, or whose transaction is over, aborts it, which the commit finds out; others
        are final."""
        if error is not None and error.code() not in OF_TRANSACTION:
            super()._on_delivery(error, message)


def open_producer(options: WorkerOptions, *, give_up: Callable[[], bool]) -> RecordProducer:
    """The producer that the guarantee asks for, ready to send. Raises StreamsError."""
    if options.processing_guarantee == "at_least_once":
        return RecordProducer(options)
    assert options.instance_id is not None, "a worker is named after its slot"
    producer = TransactionalProducer(options, options.instance_id)
    producer.open(give_up=give_up)
    return producer


def cure(error: KafkaError) -> str:
    """What a person can do about it."""
    if error.code() in (KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE):  # pyright: ignore[reportPrivateUsage]
        return 'this broker has no transactions: use one that has, or processing_guarantee="at_least_once"'
    if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return (
            "allow this user to write and describe transactional ids with the application's prefix, or use "
            'processing_guarantee="at_least_once"'
        )
    return "check that the broker is reachable, then restart the worker"
