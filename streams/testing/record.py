"""Records as tests write and read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from msgspec import Struct, field

from streams.compile.program import Headers


class TestRecord(Struct, frozen=True):
    """One record: decoded key and value, timestamp in ms since the epoch, headers."""

    __test__ = False  # not a test class, whatever its name makes pytest think

    key: Any
    value: Any
    timestamp: int
    headers: Headers = field(default_factory=list[tuple[str, bytes | None]])


Sketch = TestRecord | tuple[Any, Any] | tuple[Any, Any, int]
"""A record with as much as a test cares about: `(key, value)`, `(key, value, timestamp)`, or all of it."""

Sketches = str | Mapping[Any, Any] | Iterable[Sketch]
"""Several: a list of sketches, a dict of key -> value, or a table literal; see `table_literal`."""


Parts = tuple[Any, Any, int | None, Headers | None]
"""Key, value, timestamp and headers; None for what a sketch leaves open."""


def parts(records: Mapping[Any, Any] | Iterable[Sketch]) -> list[Parts]:
    """What the sketches say. Raises TypeError for anything that is none."""
    if isinstance(records, Mapping):
        table = cast("Mapping[Any, Any]", records)
        return [(key, value, None, None) for key, value in table.items()]
    return [_parts(record) for record in records]


def _parts(sketch: Any) -> Parts:
    if isinstance(sketch, TestRecord):
        return sketch.key, sketch.value, sketch.timestamp, sketch.headers
    if isinstance(sketch, tuple):
        given = cast("tuple[Any, ...]", sketch)
        if len(given) in (2, 3):
            return given[0], given[1], given[2] if len(given) == 3 else None, None
    raise TypeError(f"a record is (key, value), (key, value, timestamp) or a TestRecord, got {sketch!r}")
