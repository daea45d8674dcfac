"""What a user's function may ask about the record it is called for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """The record's own coordinates, passed to a function whose last parameter is annotated `Context`.

    `timestamp` is event time in ms since the epoch. `headers` are (name, value) pairs in the record's order.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: list[tuple[str, bytes | None]]
