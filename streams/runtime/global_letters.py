"""Dead letters of global tables' records.

Each worker reads global tables for itself, also before it has any task, so their letters can be in no task's
transaction: they go through a producer of their own and are acknowledged before the position behind the record is
written down. So none is lost, and one may come twice after a crash. Every worker that has a copy of the table writes
its own; topic, partition and offset in the headers say which are about the same record.
Source: in Kafka Streams (KIP-1034) the handler is asked for each copy too.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.compile.program import Headers
from streams.errors import ProduceError
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer, deadline
from streams.runtime.undone import WorkUndoneError


class GlobalLetters:
    """Owned by the stream thread. The producer is there from the first letter on.

    Args:
        open_producer: makes it; closed here.
        timeout_s: how long the broker may take for the letters of a batch.
    """

    def __init__(self, open_producer: Callable[[], RecordProducer], timeout_s: float) -> None:
        self._open_producer = open_producer
        self._timeout_s = timeout_s
        self._producer: RecordProducer | None = None
        self._topics: set[str] = set()  # to which letters went that are not acknowledged

    @classmethod
    def of(cls, options: WorkerOptions) -> GlobalLetters:
        return cls(lambda: RecordProducer(options), options.stop_timeout_s)

    def send(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, timestamp: int, headers: Headers
    ) -> None:
        """Raises ProduceError."""
        if self._producer is None:
            self._producer = self._open_producer()
        self._topics.add(topic)
        self._producer.never_refused = self._topics
        self._producer.send(topic, value, key, partition, timestamp, headers)

    def settle(self) -> None:
        """Returns when all letters are acknowledged. Raises ProduceError."""
        if self._topics and self._producer is not None:
            try:
                self._producer.flush(give_up=deadline(self._timeout_s))
            except WorkUndoneError as error:  # of tasks; what is read of global tables is not read again
                raise ProduceError(f"dead letters of a global table did not arrive: {error}", retriable=True) from error
            self._topics = set()

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close()
