"""What the log has refused, so that it is refused at once when it comes again.

A record that the broker refuses is heard of when its operator has long gone on, and a transaction with such a record
cannot be committed. So what was done since the last commit is done again, and this time the record is refused where
its operator hands it over: there it is known what it was made of, and the production handler decides. Under exactly
once the transaction is then committed with all that was not refused; under at least once some of it is sent twice.

The broker refuses whole batches, and the client tells it of all their records. One that was alone in its batch is
meant for sure, and one that is larger than the topic takes. So batches are made small enough for the topic, and what
was refused together for another reason is sent again one by one.

Source: `RecordCollectorImpl.recordSendError` of Kafka Streams, which asks the handler when it hears of a refusal;
there a transaction with such a record is lost all the same (KAFKA-15259).
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError
from msgspec import Struct

SIZES: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)
OF_ONE_RECORD: Final = (*SIZES, KafkaError.INVALID_RECORD, KafkaError.INVALID_TIMESTAMP, KafkaError.POLICY_VIOLATION)
"""What is said of a record for its own sake: it would be refused again."""

REFUSED_FOR_S = 60.0
"""After so long a topic that took no records is tried again."""
MOST_RECORDS: Final = 10_000
"""So many refused records are known apart; of more the eldest are forgotten, and refused by the broker again."""
LEAST_OVERHEAD: Final = 68
"""Bytes of a batch with one record, without its key, value and headers, at least."""


class Refused(Struct, frozen=True):
    """A record that was refused, as librdkafka tells it: without timestamp and headers."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    error: KafkaError

    @property
    def least_bytes(self) -> int:
        """How large it is as a batch of its own, at least."""
        return LEAST_OVERHEAD + len(self.key or b"") + len(self.value or b"")


class Refusals:
    """Owned by the stream thread. Records are told apart by topic, key and value.

    Args:
        batch_bytes: how large the client makes batches; grows smaller where a topic takes less.
        compressed: records may be smaller on their way than they are.
        clock: monotonic, in s.
    """

    def __init__(self, batch_bytes: int, *, compressed: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.batch_bytes = batch_bytes
        self._compressed = compressed
        self._clock = clock
        self._topics: dict[str, tuple[KafkaError, float]] = {}  # those that take no record, until when to believe it
        self._limits: dict[str, tuple[int | None, float]] = {}  # the same of what a topic takes in a batch
        self._records: OrderedDict[tuple[str, bytes], KafkaError] = OrderedDict()
        self._suspects: dict[tuple[str, bytes], bool] = {}  # of records refused together: whether sent alone since
        self._met: set[tuple[str, bytes]] = set()  # what came again, of the last two

    def __bool__(self) -> bool:
        """Whether anything may be refused at once."""
        return bool(self._topics or self._records or self._limits or self._suspects)

    def topic(self, topic: str, error: KafkaError) -> None:
        """A topic takes no records."""
        self._topics[topic] = error, self._clock() + REFUSED_FOR_S

    def learn(self, refused: Sequence[Refused], limit_of: Callable[[str], int | None]) -> list[Refused]:
        """Records were refused for their own sake, or in a batch with such a one; returns those that are meant.

        `limit_of`: the most bytes that a topic takes as a batch, None where that is not known.
        """
        meant: list[Refused] = []
        smaller = self.batch_bytes
        together = Counter((each.topic, each.partition) for each in refused if each.error.code() not in SIZES)
        for each in refused:
            which = place(each.topic, each.key, each.value)
            if together[each.topic, each.partition] > 1 and not self._suspects.setdefault(which, False):
                continue
            if each.error.code() in SIZES:
                limit = self._learn_limit(each.topic, limit_of)
                too_large = limit is not None and not self._compressed and each.least_bytes > limit
                if not too_large and each.least_bytes <= self.batch_bytes:  # perhaps it was the batch
                    fitting = limit if limit is not None and limit < self.batch_bytes else each.least_bytes - 1
                    smaller = min(smaller, fitting)
                    continue
            meant.append(each)
        self.batch_bytes = smaller
        for each in meant:
            which = place(each.topic, each.key, each.value)
            self._suspects.pop(which, None)
            self._records[which] = self._told(each)
        while len(self._records) > MOST_RECORDS:
            self._met.discard(self._records.popitem(last=False)[0])
        return meant

    def find(self, topic: str, key: bytes | None, value: bytes | None) -> KafkaError | None:
        """What the log would say of a record, None where that is not known."""
        if topic in self._topics:
            error, until = self._topics[topic]
            if self._clock() < until:
                return error
            del self._topics[topic]
        limit = self._limit(topic)
        if limit is not None and not self._compressed:
            record = Refused(topic, None, key, value, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
            if record.least_bytes > limit:
                return self._told(record)
        if self._records:
            which = place(topic, key, value)
            error = self._records.get(which)
            if error is not None:
                self._met.add(which)
                return error
        return None

    def alone(self, topic: str, key: bytes | None, value: bytes | None) -> bool:
        """Whether a record is to be sent in a batch of its own, since it was refused together with others."""
        if not self._suspects:
            return False
        which = place(topic, key, value)
        if which not in self._suspects:
            return False
        self._suspects[which] = True
        self._met.add(which)
        return True

    def committed(self) -> None:
        """Those that came again have been decided about for good, or were taken."""
        for which in self._met:
            self._records.pop(which, None)
            self._suspects.pop(which, None)
        self._met.clear()

    def forget(self) -> None:
        """Everything is tried again."""
        self._topics.clear()
        self._limits.clear()
        self._records.clear()
        self._suspects.clear()
        self._met.clear()

    def _learn_limit(self, topic: str, limit_of: Callable[[str], int | None]) -> int | None:
        if topic not in self._limits or self._clock() >= self._limits[topic][1]:
            self._limits[topic] = limit_of(topic), self._clock() + REFUSED_FOR_S
        return self._limits[topic][0]

    def _limit(self, topic: str) -> int | None:
        limit, until = self._limits.get(topic, (None, 0.0))
        return limit if self._clock() < until else None

    def _told(self, refused: Refused) -> KafkaError:
        """The error with what a person wants to know of it."""
        error, limit = refused.error, self._limit(refused.topic)
        if error.code() not in SIZES or limit is None:
            return error
        size = refused.least_bytes
        return KafkaError(
            error.code(), f"Message size too large: {size} bytes or more, and {refused.topic} takes {limit} in a batch"
        )


def place(topic: str, key: bytes | None, value: bytes | None) -> tuple[str, bytes]:
    """By which a record is known again."""
    digest = hashlib.blake2b(b"-" if key is None else b"+%d:" % len(key) + key, digest_size=16)
    digest.update(b"-" if value is None else b"+")
    digest.update(value or b"")
    return topic, digest.digest()


def batch_limit(config: Mapping[str, Any]) -> int:
    """How large a client with this configuration makes batches, in bytes; a record alone may be larger."""
    return min(int(config.get("batch.size", 1_000_000)), int(config.get("message.max.bytes", 1_000_000)))


def compresses(config: Mapping[str, Any]) -> bool:
    """Whether a client with this configuration compresses batches."""
    return any(config.get(name, "none") != "none" for name in ("compression.codec", "compression.type"))
