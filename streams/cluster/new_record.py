"""A record that is to be written."""

from __future__ import annotations

from msgspec import Struct


class NewRecord(Struct, frozen=True, kw_only=True):
    """`timestamp` in ms since the epoch, None: the present. `partition` None: by Kafka's murmur2 of the key."""

    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None
