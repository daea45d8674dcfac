"""Chains of repartitions with windows at their ends, and with windows in between whose results are late by nature."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams import App, F, Json, KTable, tumbling, until_window_closes
from streams.demo.flight_delays import Airport
from tests.integration.replay.history import PATIENCE, Event

GRACE = timedelta(hours=1)
NONE = timedelta(0)

app = App("replay-chain", watermark_idle_timeout=PATIENCE)


def add(key: str, value: int, total: int) -> int:
    return total + value


def put_out(table: KTable[Any, Any], topic: str) -> None:
    table.to_stream().map(lambda k, n: (k.key, [k.start, n]), key=str, value=Json()).to(topic)


airports = app.table("airports", key=str, value=Airport)
departures = app.stream("departures", key=str, value=Event, timestamp=F.ts)

# By route, then by destination, then by its state: records only, hours with a small grace at the end.
by_route = departures.repartition(name="nothing-yet").select_key(
    lambda key, event: f"{event.origin}>{event.destination}", key=str
)
by_destination = by_route.repartition(name="by-route").select_key(F.destination).repartition(name="by-destination")
put_out(
    by_destination.join(airports, lambda event, airport: airport.state, value=str)
    .group_by(lambda key, state: state, key=str, name="by-state")
    .windowed_by(tumbling(timedelta(hours=1), grace=GRACE), emit="close")
    .count(store="hours"),
    "hours",
)

# The same way with windows at each stop: quarters of a day by route, days by destination, weeks by state.
quarters = (
    departures.group_by(lambda key, event: f"{event.origin}>{event.destination}", key=str, name="quarters-by-route")
    .windowed_by(tumbling(timedelta(hours=6), grace=GRACE), emit="close")
    .count(store="quarters")
)
days = (
    quarters.to_stream()
    .group_by(lambda key, n: key.key.partition(">")[2], key=str, value=int, name="days-by-destination")
    .windowed_by(tumbling(timedelta(days=1), grace=NONE))
    .aggregate(int, add, value=int, store="days")
    .suppress(until_window_closes())
)
weeks = (
    days.to_stream()
    .map(lambda key, n: (key.key, n), key=str, value=int)
    .repartition(name="weeks-by-destination")
    .join(airports, lambda n, airport: (airport.state, n), value=tuple[str, int])
    .group_by(lambda key, of: of[0], key=str, value=tuple[str, int], name="weeks-by-state")
    .windowed_by(tumbling(timedelta(days=7), grace=NONE), emit="close")
    .aggregate(int, lambda key, of, total: total + of[1], value=int, store="weeks")
)
put_out(weeks, "weeks")
