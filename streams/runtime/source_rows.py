"""Records of a source topic as rows of the table that is read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Row = tuple[bytes, bytes | None, int]
"""Key, value (None: deleted) and timestamp in ms."""


def readable_rows(records: Iterable[Row], decode: Callable[[bytes], object]) -> list[Row]:
    """Those whose value decodes: the others were skipped when the task read them, or it would not have got past them.

    Source: KAFKA-8037, where Kafka Streams restores them.
    """
    return [record for record in records if record[1] is None or _decodes(decode, record[1])]


def _decodes(decode: Callable[[bytes], object], value: bytes) -> bool:
    try:
        decode(value)
    except Exception:  # whatever a serde raises; the deserialization handler has dealt with it
        return False
    return True
