"""A record that is to be written."""

from __future__ import annotations

from dataclasses import dataclass

NOW = 0
"""librdkafka's word for the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """`timestamp` in ms since the epoch. `partition` None: by Kafka's murmur2 of the key."""

    key: bytes | None
    value: bytes | None
    timestamp: int = NOW
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None
