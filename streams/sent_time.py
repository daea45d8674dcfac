"""The time of a record as librdkafka's `produce` is given it, which takes 0 for the present."""

from __future__ import annotations

from typing import Final

PRESENT: Final = 0
LEAST_TIME: Final = 1
"""Ms since the epoch. A record of time 0 gets the present time from librdkafka: the time of a reader would jump there,
and all records after it would be late. So it gets the millisecond that follows."""


def sent_time(timestamp: int | None) -> int:
    """What `produce` is to be given for a record of `timestamp`, in ms since the epoch; None: of the present."""
    return PRESENT if timestamp is None else timestamp or LEAST_TIME
