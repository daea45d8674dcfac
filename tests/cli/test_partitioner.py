"""Kafka's partitioner."""

from __future__ import annotations

import pytest

from streams.partitioner import murmur2, partition_for_key


@pytest.mark.parametrize(
    ("data", "hash_value"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
        (b"", 275646681),
    ],
)
def test_murmur2_equals_kafkas(data: bytes, hash_value: int) -> None:
    """The values of Kafka's own unit test, as Java's signed ints."""
    assert murmur2(data) == hash_value & 0xFFFFFFFF


def test_partition_for_key_takes_the_positive_part() -> None:
    """The sign bit is cleared, not the number negated."""
    assert partition_for_key(b"21", 7) == (-973932308 & 0x7FFFFFFF) % 7
