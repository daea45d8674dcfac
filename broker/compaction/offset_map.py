"""Key → offset of its latest record, over the part of a log that was not cleaned yet.

Source: `SkimpyOffsetMap` of Apache Kafka, which keeps MD5 sums only; here short keys stand for themselves.
"""

from __future__ import annotations

from hashlib import blake2b

DIGEST_SIZE = 32
ENTRY_BYTES = 150
"""What an entry costs beside the key's bytes: two objects and their share of the table."""


class OffsetMap:
    """Bounded: when `full`, the rest of the log is left for the next pass. Keys of 32 bytes and more are kept as a
    256-bit digest of that length, so a digest and a short key cannot be taken for each other."""

    __slots__ = ("limit", "offsets", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.offsets: dict[bytes, int] = {}
        self.size = 0
        """Bytes in use, roughly."""

    def put(self, key: bytes, offset: int) -> None:
        """Offsets must come in order."""
        if len(key) >= DIGEST_SIZE:
            key = blake2b(key, digest_size=DIGEST_SIZE).digest()
        if key not in self.offsets:
            self.size += ENTRY_BYTES + len(key)
        self.offsets[key] = offset

    def get(self, key: bytes) -> int:
        """-1: the key is not there."""
        if len(key) >= DIGEST_SIZE:
            key = blake2b(key, digest_size=DIGEST_SIZE).digest()
        return self.offsets.get(key, -1)

    @property
    def full(self) -> bool:
        return self.size >= self.limit
