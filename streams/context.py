"""What a user's function may ask about the record it is called for."""

from __future__ import annotations

from msgspec import Struct


class Context(Struct, frozen=True):
    """The record's own coordinates, passed to a function whose last parameter is annotated `Context`.

    `timestamp` is event time in ms since the epoch. `headers` are (name, value) pairs in the record's order.
    Where time and not a record brought something about (a final window, a punctuation), `timestamp` is the forwarded
    record's, the topic is empty, partition and offset are -1, and there are no headers.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: list[tuple[str, bytes | None]]
