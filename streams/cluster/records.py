"""The records of a topic, read from one end to the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from streams.cluster.errors import ClusterError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

BATCH = 500
POLL_S = 0.2
SILENT_S = 30.0
"""So long nothing may come before an end that is known to be there. The client itself waits for brokers for ever."""


def records_of_topic(
    client: Consumer,
    topic: str,
    starts: Mapping[int, int],
    ends: Mapping[int, int] | None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Message]:
    """The records from `starts` on; up to `ends` if given, else for ever. `clock` in s.

    A partition's end is known by its position or by end-of-partition, not by a record with the last offset: the log
    may end in transaction markers, and compaction removes records.

    Raises:
        KafkaException: the broker refuses.
        ClusterError: nothing comes, though an end is not reached.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicPartition

    open_partitions = {p for p in starts if ends is None or starts[p] < ends[p]}
    client.assign([TopicPartition(topic, p, starts[p]) for p in sorted(open_partitions)])
    heard_at = clock()
    while open_partitions:
        messages = client.consume(BATCH, POLL_S)
        if messages:
            heard_at = clock()
        elif ends is not None and clock() - heard_at > SILENT_S:
            silent = ", ".join(str(partition) for partition in sorted(open_partitions))
            raise ClusterError(
                f"nothing came from partition {silent} of topic {topic!r} for {SILENT_S:.0f} s, though there is more: "
                "is the broker reachable, and has the partition a leader?"
            )
        for message in messages:
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
