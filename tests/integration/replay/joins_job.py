"""Joins of departures with arrivals, which both have to be brought to another key first, or one of them."""

from __future__ import annotations

from datetime import timedelta

from streams import App, F, Json, join_window
from tests.integration.replay.history import PATIENCE, Event

GRACE = timedelta(hours=1)
TURNAROUND = timedelta(hours=2)
SOON = timedelta(hours=1)
VERY_LATE = 90
"""Minutes."""

app = App("replay-joins", watermark_idle_timeout=PATIENCE)


def both(arrived: Event | None, departed: Event | None) -> list[str | None]:
    return [arrived and arrived.id, departed and departed.id]


arrivals = app.stream("arrivals", key=str, value=Event, timestamp=F.ts)
departures = app.stream("departures", key=str, value=Event, timestamp=F.ts)

# What arrives from an airport, with what leaves for it again within two hours.
came = arrivals.select_key(lambda key, event: f"{event.destination}>{event.origin}", key=str)
left = departures.select_key(lambda key, event: f"{event.origin}>{event.destination}", key=str)
came.outer_join(
    left, both, windows=join_window(timedelta(0), TURNAROUND, grace=GRACE), value=Json(), name="turnarounds"
).to("turnarounds")

# What arrives very late, with what leaves the airport at about that time: departures are read as they are.
late = arrivals.filter(F.delay >= VERY_LATE).select_key(F.destination)
late.left_join(departures, both, windows=join_window(SOON, SOON, grace=GRACE), value=Json(), name="missed").to("missed")
