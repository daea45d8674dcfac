"""Kafka's default partitioner: murmur2 of the key's bytes, so that a key lies where every Kafka client expects it.

Source: `org.apache.kafka.common.utils.Utils.murmur2`, `BuiltInPartitioner.partitionForKey` and, for windowed keys,
`WindowedStreamPartitioner`.
"""

from __future__ import annotations

from collections.abc import Callable

SEED = 0x9747B28C
M = 0x5BD1E995
MASK = 0xFFFFFFFF
MOST_KEYS = 100_000


def murmur2(data: bytes) -> int:
    """The 32-bit hash, unsigned."""
    length = len(data)
    h = SEED ^ length
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * M & MASK
        k ^= k >> 24
        h = (h * M & MASK) ^ (k * M & MASK)
    if length > whole:
        h ^= int.from_bytes(data[whole:], "little")
        h = h * M & MASK
    h ^= h >> 13
    h = h * M & MASK
    return h ^ (h >> 15)


def partition_for_key(key: bytes, partitions: int) -> int:
    """Where a record with this key belongs on a topic with so many partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class KeyPartitions(dict[bytes, int]):
    """The partition of each key on one topic: a hash costs more than the rest of what is done to send a record.

    It begins anew when it holds `MOST_KEYS`, and asks for the topic's partitions for each key that it does not know.
    """

    __slots__ = ("_partitions", "_topic")

    def __init__(self, topic: str, partitions: Callable[[str], int]) -> None:
        super().__init__()
        self._topic = topic
        self._partitions = partitions

    def __missing__(self, key: bytes) -> int:
        if len(self) >= MOST_KEYS:
            self.clear()
        place = self[key] = partition_for_key(key, self._partitions(self._topic))
        return place


class KeyPartitionsByTopic(dict[str, KeyPartitions]):
    """The same for topics that are told record by record."""

    __slots__ = ("_partitions",)

    def __init__(self, partitions: Callable[[str], int]) -> None:
        super().__init__()
        self._partitions = partitions

    def __missing__(self, topic: str) -> KeyPartitions:
        known = self[topic] = KeyPartitions(topic, self._partitions)
        return known
