"""The producer of a worker that processes exactly once: everything it sends belongs to the transaction that is open.

    open ──► ( send … ──► commit ──► )*          a transaction begins as soon as the last one has ended
                    └───► abort ────►

librdkafka says of each failure which it is: to be repeated, to be answered by an abort, or the end of this producer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from streams.compile.program import Headers
from streams.errors import ProduceError, StreamsError, TaskFencedError
from streams.runtime.connection import OUTAGES
from streams.runtime.membership import CommittedOffset
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer
from streams.runtime.router import Place

CALL_TIMEOUT_S = 1.0
"""How long one call may block; it is repeated until the caller gives up."""

FENCED = frozenset(
    {
        KafkaError._FENCED,  # pyright: ignore[reportPrivateUsage]
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
    }
)


class TransactionAbortedError(StreamsError):
    """The transaction was aborted: what was sent in it will never be seen, and its input is to be processed again."""

    retriable = True


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
            StreamsError: the broker does not answer, or has no transactions.
        """
        self._repeat(self._client.init_transactions, give_up, "transactions cannot be prepared")
        self._begin()

    def commit(
        self, offsets: Mapping[Place, CommittedOffset], group_metadata: bytes, *, give_up: Callable[[], bool]
    ) -> None:
        """Commits what was sent together with the offsets, and begins the next transaction.

        Raises:
            TransactionAbortedError, TaskFencedError: see there.
            StreamsError: the outcome is unknown, since the broker does not answer and `give_up` said so.
        """
        if offsets:
            positions = [
                TopicPartition(topic, partition, offset.offset, offset.metadata)
                for (topic, partition), offset in offsets.items()
            ]
            self._repeat(
                lambda timeout_s: self._client.send_offsets_to_transaction(positions, group_metadata, timeout_s),
                give_up,
                "offsets cannot be committed",
            )
        self._repeat(self._client.commit_transaction, give_up, "the transaction cannot be committed")
        self._began = False
        self._begin()

    def abort(self) -> None:
        """What was sent since the last commit is never seen. Does nothing where there is no way any more."""
        if not self._began or self._watch.fatal is not None:
            return
        try:
            self._client.abort_transaction(CALL_TIMEOUT_S * 10)
        except KafkaException as error:
            if error.args[0].fatal():
                return  # fenced, or worse: the next call says so
            raise ProduceError(
                f"the transaction cannot be aborted: {error.args[0].str()}; restart the worker"
            ) from error
        self._began = False
        self._begin()

    def _begin(self) -> None:
        self._client.begin_transaction()
        self._began = True
        self.pending = False

    def _repeat(self, call: Callable[[float], Any], give_up: Callable[[], bool], what: str) -> None:
        """Repeats a call while librdkafka says that it may be repeated."""
        while True:
            try:
                call(CALL_TIMEOUT_S)
            except KafkaException as raised:
                error: KafkaError = raised.args[0]
                if error.code() in FENCED:
                    raise TaskFencedError(
                        f"another worker has taken the place of {self._transactional_id}: this one stops"
                    ) from raised
                if error.txn_requires_abort():
                    self.abort()
                    raise TransactionAbortedError(
                        f"the transaction was aborted ({error.str()}); its records are processed again"
                    ) from raised
                if not error.retriable() or give_up():
                    raise StreamsError(f"{what}: {error.str()}; {cure(error)}") from raised
            else:
                self._watch.alive()
                return

    def _on_delivery(self, error: KafkaError | None, message: KafkaMessage) -> None:
        """A record that only came too late aborts the transaction, which the commit finds out; others are final."""
        if error is not None and error.code() not in OUTAGES | {KafkaError._MSG_TIMED_OUT}:  # pyright: ignore[reportPrivateUsage]
            super()._on_delivery(error, message)


def cure(error: KafkaError) -> str:
    """What a person can do about it."""
    if error.code() in (KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE):  # pyright: ignore[reportPrivateUsage]
        return 'this broker has no transactions: use one that has, or processing_guarantee="at_least_once"'
    return "check that the broker is reachable, then restart the worker"
