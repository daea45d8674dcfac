"""A dead letter as it is read back, and which of them are meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from streams.cluster.new_record import NewRecord
from streams.cluster.text import text_or_hex

if TYPE_CHECKING:
    from confluent_kafka import Message

MOST_DIGITS = 18
"""Of a number that a letter tells; anybody may write to its topic."""


class Letter(Struct, frozen=True, kw_only=True):
    """A dead letter: where it lies, the record it is about, and what went wrong.

    `source` is None for a record of the topic that says of no other; its partition and offset are -1 then. `headers`
    are the record's own.
    """

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    source: str | None
    source_partition: int
    source_offset: int
    exception: str
    message: str
    stacktrace: str

    @classmethod
    def of(cls, message: Message) -> Letter:
        from streams.runtime import dead_letter as names

        headers: Any = message.headers()
        told: Mapping[str, bytes | None] = dict(headers or ())

        def text(name: str) -> str:
            return (told.get(name) or b"").decode(errors="replace")

        def number(name: str) -> int:
            return int(text(name)) if text(name).isdecimal() and len(text(name)) <= MOST_DIGITS else -1

        key: Any = message.key()
        value: Any = message.value()
        return cls(
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            timestamp=message.timestamp()[1],
            key=key,
            value=value,
            headers=tuple(names.own_headers(headers)),
            source=text(names.TOPIC) or None,
            source_partition=number(names.PARTITION),
            source_offset=number(names.OFFSET),
            exception=text(names.EXCEPTION),
            message=text(names.MESSAGE),
            stacktrace=text(names.STACKTRACE),
        )

    @property
    def origin(self) -> str:
        """`orders[3]@17`."""
        return "" if self.source is None else f"{self.source}[{self.source_partition}]@{self.source_offset}"

    def again(self, *, partition: bool) -> NewRecord:
        """The record as it was read, to be sent again; `partition`: to the one it was on."""
        return NewRecord(
            key=self.key,
            value=self.value,
            timestamp=self.timestamp,
            headers=self.headers,
            partition=self.source_partition if partition and self.source_partition >= 0 else None,
        )

    def as_json(self) -> str:
        """Keys, values and headers as text, or `0x…` where they are none."""
        body = {
            "partition": self.partition,
            "offset": self.offset,
            "timestamp": self.timestamp,
            "source": {"topic": self.source, "partition": self.source_partition, "offset": self.source_offset},
            "exception": self.exception,
            "message": self.message,
            "key": _text(self.key),
            "value": _text(self.value),
            "headers": [[name, _text(value)] for name, value in self.headers],
            "stacktrace": self.stacktrace,
        }
        return msgspec.json.encode(body).decode()


class LetterFilter(Struct, frozen=True, kw_only=True):
    """Which letters are meant: those that fit all that is given. Times in ms since the epoch, of the records."""

    source: str | None = None
    exception: str | None = None
    """The class, with or without its module."""
    message: str | None = None
    """Some part of it."""
    key: str | None = None
    since: int | None = None
    until: int | None = None
    places: frozenset[tuple[int, int]] = frozenset()
    """Partition and offset of the letters themselves; empty: all."""

    def __call__(self, letter: Letter) -> bool:
        return (
            (not self.places or (letter.partition, letter.offset) in self.places)
            and self.source in (None, letter.source)
            and self.exception in (None, letter.exception, letter.exception.rpartition(".")[2])
            and (self.message is None or self.message in letter.message)
            and self.key in (None, _text(letter.key))
            and (self.since is None or letter.timestamp >= self.since)
            and (self.until is None or letter.timestamp < self.until)
        )


def _text(data: bytes | None) -> str | None:
    return None if data is None else text_or_hex(data)
