"""Sliding windows: one for each set of records that lie close enough together."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from streams.windows.duration import grace_in_ms, whole_ms


class SlidingWindows(Struct, frozen=True, kw_only=True):
    """Windows [start, start + difference_ms], both ends inclusive; made by `sliding`.

    A record at t makes the window that ends with it, [t - difference, t], and the one that begins just after it,
    [t + 1, t + 1 + difference], the latter once it holds a later record. Records younger than `difference` since the
    epoch share the window [0, difference]. A window is closed once stream time has passed its end plus `grace_ms`.

    Source: `org.apache.kafka.streams.kstream.SlidingWindows`.
    """

    difference_ms: int
    grace_ms: int


def sliding(difference: timedelta, *, grace: timedelta) -> SlidingWindows:
    """Windows that hold the records of one key which lie at most `difference` apart; `grace` as in `tumbling`.

    Raises:
        ValueError: a duration is not whole ms or negative.
    """
    difference_ms = whole_ms("difference", difference)
    if difference_ms < 0:
        raise ValueError(f"difference must not be negative, got {difference}")
    return SlidingWindows(difference_ms=difference_ms, grace_ms=grace_in_ms(grace))
