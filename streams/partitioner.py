"""Kafka's default partitioner: murmur2 of the key's bytes, so that a key lies where every Kafka client expects it.

Source: `org.apache.kafka.common.utils.Utils.murmur2` and `BuiltInPartitioner.partitionForKey`.
"""

from __future__ import annotations

SEED = 0x9747B28C
M = 0x5BD1E995
MASK = 0xFFFFFFFF


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
