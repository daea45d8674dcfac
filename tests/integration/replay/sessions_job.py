"""Sessions of arrivals at an airport, and of departures on a route: final results at once and by suppression."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams import App, F, Json, KTable, session, until_window_closes
from tests.integration.replay.history import PATIENCE, Event

GRACE = timedelta(hours=1)
AIRPORT_GAP = timedelta(hours=2)
ROUTE_GAP = timedelta(hours=20)

app = App("replay-sessions", watermark_idle_timeout=PATIENCE)


def nothing() -> list[int]:
    return [0, 0]


def add(key: str, event: Event, total: list[int]) -> list[int]:
    return [total[0] + 1, total[1] + event.distance]


def merge(key: str, one: list[int], other: list[int]) -> list[int]:
    return [one[0] + other[0], one[1] + other[1]]


def put_out(table: KTable[Any, Any], topic: str) -> None:
    table.to_stream().map(lambda k, v: (k.key, [k.start, k.end, *v]), key=str, value=Json()).to(topic)


arrivals = app.stream("arrivals", key=str, value=Event, timestamp=F.ts)
departures = app.stream("departures", key=str, value=Event, timestamp=F.ts)
put_out(
    arrivals.group_by(F.destination)
    .windowed_by(session(AIRPORT_GAP, grace=GRACE), emit="close")
    .aggregate(nothing, add, merge, value=list[int], store="busy"),
    "busy",
)
put_out(
    departures.group_by(lambda key, event: f"{event.origin}>{event.destination}", key=str)
    .windowed_by(session(ROUTE_GAP, grace=GRACE))
    .aggregate(nothing, add, merge, value=list[int], store="served")
    .suppress(until_window_closes()),
    "served",
)
