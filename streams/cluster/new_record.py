"""A record that is to be written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """`timestamp` in ms since the epoch, None: the present. `partition` None: by Kafka's murmur2 of the key."""

    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None
