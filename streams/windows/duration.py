"""Durations as users give them, in whole ms."""

from __future__ import annotations

from datetime import timedelta

MILLISECOND = timedelta(milliseconds=1)
FOREVER = 2**63 - 1
"""The end of a window that never ends, ms."""


def whole_ms(argument: str, duration: timedelta) -> int:
    """A duration in ms; a ValueError that names `argument` where it is no timedelta or not whole ms."""
    if not isinstance(duration, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"{argument} must be a timedelta, got {duration!r}; write timedelta(seconds=…)")
    milliseconds, rest = divmod(duration, MILLISECOND)
    if rest:
        raise ValueError(f"{argument} must be whole milliseconds, got {duration}")
    return milliseconds


def positive_ms(argument: str, duration: timedelta) -> int:
    """The same, and a ValueError where it is not positive."""
    milliseconds = whole_ms(argument, duration)
    if milliseconds <= 0:
        raise ValueError(f"{argument} must be positive, got {duration}")
    return milliseconds


def grace_in_ms(grace: timedelta) -> int:
    """A grace in ms, and a ValueError where it is negative."""
    milliseconds = whole_ms("grace", grace)
    if milliseconds < 0:
        raise ValueError(f"grace must not be negative, got {grace}; timedelta(0) means none")
    return milliseconds
