"""Bytes and times of records as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text_or_hex(data: bytes) -> str:
    """UTF-8 text, or `0x…` for bytes that are none or that a terminal should not get."""
    try:
        decoded = data.decode()
    except UnicodeDecodeError:
        return "0x" + data.hex()
    printable = all(character.isprintable() or character in "\n\t" for character in decoded)
    return decoded if printable else "0x" + data.hex()


def iso_time(milliseconds: int) -> str:
    """`2001-01-01T00:01:00Z`, with milliseconds only where there are any; numbers out of range stay numbers."""
    try:
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    precise = "milliseconds" if milliseconds % 1000 else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precise) + "Z"
