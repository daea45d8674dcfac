"""Dead letters: records that could not be processed, put aside on a topic with what went wrong in their headers.

Source: KIP-1034, `ExceptionHandlerUtils.buildDeadLetterQueueRecord`, whose header names these are. Departure: the
headers of the record itself are kept before them, so that it can be sent again as it was.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from streams.compile.program import Headers, Message

PREFIX: Final = "__streams.errors."
EXCEPTION: Final = PREFIX + "exception"
STACKTRACE: Final = PREFIX + "stacktrace"
MESSAGE: Final = PREFIX + "message"
TOPIC: Final = PREFIX + "topic"
PARTITION: Final = PREFIX + "partition"
OFFSET: Final = PREFIX + "offset"
LONGEST_TRACE: Final = 16_384
"""Bytes of a stack trace that are kept: its end, where the error is."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A record for a dead-letter topic, as it is written. `timestamp` in ms since the epoch."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Sequence[tuple[str, bytes | None]] = ()


def dead_letter(topic: str, message: Message, cause: BaseException) -> DeadLetter:
    """The letter about a record that was read: its key, value, timestamp and headers as they are, and `cause`.

    `exception` holds the class of the exception with its module (`builtins` left out), `message` its text, and
    `stacktrace` Python's own, all UTF-8; partition and offset are decimal digits.
    """
    trace = "".join(traceback.format_exception(cause)).encode(errors="replace")
    told = (
        (EXCEPTION, class_name(type(cause)).encode()),
        (STACKTRACE, trace[-LONGEST_TRACE:]),
        (MESSAGE, str(cause).encode(errors="replace")),
        (TOPIC, message.topic().encode()),
        (PARTITION, b"%d" % message.partition()),
        (OFFSET, b"%d" % message.offset()),
    )
    return DeadLetter(
        topic=topic,
        key=message.key(),
        value=message.value(),
        timestamp=max(message.timestamp()[1], 0),
        headers=(*own_headers(message.headers()), *told),
    )


def own_headers(headers: Headers | None) -> list[tuple[str, bytes | None]]:
    """A record's headers without those that a dead letter adds."""
    return [header for header in headers or () if not header[0].startswith(PREFIX)]


def class_name(kind: type[BaseException]) -> str:
    """`ZeroDivisionError`, `shop.orders.UnknownCustomer`."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
