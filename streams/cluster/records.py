"""The records of a topic, read from one end to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

BATCH = 500
POLL_S = 0.2


def records_of_topic(
    client: Consumer, topic: str, starts: Mapping[int, int], ends: Mapping[int, int] | None
) -> Iterator[Message]:
    """The records from `starts` on; up to `ends` if given, else for ever.

    A partition's end is known by its position or by end-of-partition, not by a record with the last offset: the log
    may end in transaction markers, and compaction removes records.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicPartition

    open_partitions = {p for p in starts if ends is None or starts[p] < ends[p]}
    client.assign([TopicPartition(topic, p, starts[p]) for p in sorted(open_partitions)])
    while open_partitions:
        for message in client.consume(BATCH, POLL_S):
            error = message.error()
            partition = message.partition()
            assert partition is not None
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # pyright: ignore[reportPrivateUsage]
                    if ends is not None:
                        open_partitions.discard(partition)
                    continue
                raise KafkaException(error)
            offset = message.offset()
            assert offset is not None
            if ends is not None:
                if offset >= ends[partition] - 1:
                    open_partitions.discard(partition)
                if offset >= ends[partition]:
                    continue
            yield message
