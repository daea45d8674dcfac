"""What the examples' data consists of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple


class Event(NamedTuple):
    """A record for a topic, or from one. `timestamp` in ms since the epoch; a value of None is a tombstone."""

    topic: str
    key: Any
    value: Any
    timestamp: int


def milliseconds(moment: str) -> int:
    """`2026-03-02 08:00` (UTC) as ms since the epoch."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)


def clock(timestamp: int) -> str:
    """The time of day (UTC) of a timestamp, such as `08:00:03`."""
    return datetime.fromtimestamp(timestamp / 1000, UTC).strftime("%H:%M:%S")
