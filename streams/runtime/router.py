"""Hands consumed records to the buffers of their partitions.

The only work done on every record between the client and the compiled code, so it is written to run in C: a `map` over
the batch finds error events, `groupby` over partition numbers and, within each, over topics the stretches of one
partition, and each stretch is handed on as one list. Grouping by number first costs 80 ns a record where grouping by
topic and number in pairs costs 150: no pairs are made, and few numbers differ from the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from confluent_kafka import KafkaError
from confluent_kafka import Message as KafkaMessage

from streams.runtime.buffers import PartitionBuffer

error_of = KafkaMessage.error
topic_of = KafkaMessage.topic
partition_of = KafkaMessage.partition

Place = tuple[str, int]
"""Topic and partition."""


def stretches(messages: Sequence[KafkaMessage]) -> Iterator[tuple[Place, Sequence[KafkaMessage]]]:
    """Cuts a batch without error events into runs of one partition, in order."""
    start = 0
    total = len(messages)
    for partition, of_partition in groupby(messages, partition_of):
        for topic, group in groupby(of_partition, topic_of):
            end = start + len(list(group))
            yield (topic, partition), messages if end - start == total else messages[start:end]  # pyright: ignore[reportReturnType]
            start = end


def events(messages: Sequence[KafkaMessage]) -> Iterator[int]:
    """The indexes of what are no records: ends of partitions and errors."""
    if any(map(error_of, messages)):
        for index, error in enumerate(map(error_of, messages)):
            if error is not None:
                yield index


def is_partition_end(message: KafkaMessage) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # pyright: ignore[reportPrivateUsage]


class Router:
    """Knows the buffer of each partition that is read. Owned by the stream thread."""

    def __init__(self, *, cap_records: int, cap_bytes: int) -> None:
        self._buffers: dict[Place, PartitionBuffer] = {}
        self._cap_records = cap_records
        self._cap_bytes = cap_bytes
        self._polled_at: int | None = None
        self.woken: list[PartitionBuffer] = []
        """Buffers that were quiet and have got records; emptied by the reader."""

    def add(self, buffers: Iterable[PartitionBuffer]) -> None:
        for buffer in buffers:
            self._buffers[buffer.topic, buffer.partition] = buffer

    def remove(self, places: Iterable[Place]) -> None:
        """Records of these that are still on their way are dropped."""
        for place in places:
            self._buffers.pop(place, None)

    @property
    def buffers(self) -> Mapping[Place, PartitionBuffer]:
        return self._buffers

    def polled(self, wait_ms: int, now: int, *, stall_ms: int) -> None:
        """The reader has asked for records and was ready to wait for `wait_ms`.

        If more than `stall_ms` beyond that are gone since it asked before, the process stood still: it was stopped or
        suspended, or waited for the broker. What came meanwhile may not be here yet, so no partition was quiet so far.
        """
        before, self._polled_at = self._polled_at, now
        if before is not None and now - before > wait_ms + stall_ms:
            for buffer in self._buffers.values():
                buffer.quiet_since = now

    def route(self, messages: Sequence[KafkaMessage], now: int) -> list[KafkaMessage]:
        """Appends a consumed batch to the buffers; returns the error events that were in it (ends of partitions are
        no errors)."""
        errors: list[KafkaMessage] = []
        start = 0
        for index in events(messages):
            self._append(messages[start:index], now)
            start = index + 1
            message = messages[index]
            if is_partition_end(message):
                buffer = self._buffers.get((message.topic() or "", message.partition() or 0))
                if buffer is not None:
                    buffer.reached_end(message.offset() or 0)
            else:
                errors.append(message)
        self._append(messages[start:] if start else messages, now)
        return errors

    def _append(self, messages: Sequence[KafkaMessage], now: int) -> None:
        for place, stretch in stretches(messages):
            buffer = self._buffers.get(place)
            if buffer is not None:
                if buffer.quiet:
                    buffer.quiet = False
                    self.woken.append(buffer)
                buffer.append(stretch, now)  # pyright: ignore[reportArgumentType]  # records have topic and offset

    # -- flow --------------------------------------------------------------------------------------------------------
    def to_pause(self) -> list[Place]:
        """Partitions that hold more than they may, and are marked as paused hereby.

        Pausing throws away what the client has fetched ahead, so it is rare by its distance to `to_resume`. While all
        partitions together hold less than half of the limit none has to keep to its share, which may be a few records.
        """
        most, _ = self._shares()
        full = [
            buffer
            for buffer in self._buffers.values()
            if not buffer.paused and (buffer.count >= self._cap_records or buffer.buffered_bytes >= most)
        ]
        for buffer in full:
            buffer.paused = True
        return [(buffer.topic, buffer.partition) for buffer in full]

    def to_resume(self) -> list[Place]:
        """Paused partitions that are down to a quarter of what they may hold, marked as not paused hereby."""
        _, little = self._shares()
        ready = [
            buffer
            for buffer in self._buffers.values()
            if buffer.paused and buffer.count <= self._cap_records // 4 and buffer.buffered_bytes <= little
        ]
        for buffer in ready:
            buffer.paused = False
        return [(buffer.topic, buffer.partition) for buffer in ready]

    def _shares(self) -> tuple[int, int]:
        """The bytes from which a partition is paused, and down to which it is resumed, now."""
        total = sum(buffer.buffered_bytes for buffer in self._buffers.values())
        share = self._cap_bytes // max(len(self._buffers), 1)
        return (
            share if total >= self._cap_bytes // 2 else self._cap_bytes,
            self._cap_bytes // 4 if total <= self._cap_bytes // 4 else share // 4,
        )

    def hungry(self) -> bool:
        """Whether an empty partition may have more at the broker, perhaps older than all that is buffered."""
        return any(buffer.hungry for buffer in self._buffers.values())
