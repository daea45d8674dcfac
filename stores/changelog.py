"""What a store says to its changelog topic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

NEW: Any = cast("Any", tuple).__new__


class ChangelogRecord(NamedTuple):
    """One changed row.

    `value` is None for a deleted or expired row. `timestamp` is the row's, in ms; a tombstone has none and carries the
    store's clock if it has one, else 0 (a producer takes that as now).
    """

    key: bytes
    value: bytes | None
    timestamp: int


as_record = cast("Callable[[tuple[bytes, bytes | None, int]], ChangelogRecord]", partial(NEW, ChangelogRecord))
"""A record from a plain tuple: half the cost of the constructor, which counts at a commit of many rows."""
