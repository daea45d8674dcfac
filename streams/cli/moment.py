"""Points in time as people write them on a command line."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.cli.failures import UsageFailed


def milliseconds(text: str) -> int:
    """Milliseconds since the epoch of `978307200000`, `2001-01-01` or `2001-01-01T12:00:00+02:00`; UTC if not said.

    Raises:
        UsageFailed: it is none of these.
    """
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageFailed(f"{text!r} is neither milliseconds nor an ISO 8601 time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def record_time(text: str) -> int:
    """`milliseconds`, of a record that is to be written. Raises UsageFailed for a time before 1970 too."""
    time = milliseconds(text)
    if time < 0:
        raise UsageFailed(f"{text!r} is before 1970, and records have no such times")
    return time
