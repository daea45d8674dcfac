"""Session windows: as long as records of a key keep coming."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from streams.windows.duration import grace_in_ms, whole_ms


class SessionWindows(Struct, frozen=True, kw_only=True):
    """Windows [first record, last record], both ends inclusive; made by `session`.

    Records at most `gap_ms` apart are in one session; a record between two sessions merges them. A session is closed
    once stream time has passed its end plus `gap_ms` and `grace_ms`.

    Source: `org.apache.kafka.streams.kstream.SessionWindows`.
    """

    gap_ms: int
    grace_ms: int


def session(gap: timedelta, *, grace: timedelta) -> SessionWindows:
    """Sessions that end when a key has been silent for more than `gap`; `grace` as in `tumbling`.

    Raises:
        ValueError: a duration is not whole ms or negative.
    """
    gap_ms = whole_ms("gap", gap)
    if gap_ms < 0:
        raise ValueError(f"gap must not be negative, got {gap}")
    return SessionWindows(gap_ms=gap_ms, grace_ms=grace_in_ms(grace))
