"""Flights as a table that refers to airports by a foreign key, and what comes of them counted in windows."""

from __future__ import annotations

from datetime import timedelta

from streams import App, F, Json, tumbling
from streams.demo.flight_delays import Airport
from tests.integration.replay.history import PATIENCE, Event

GRACE = timedelta(hours=1)

app = App("replay-foreign-keys", watermark_idle_timeout=PATIENCE)

airports = app.table("airports", key=str, value=Airport)
flights = app.table("flights", key=str, value=Event, timestamp=F.ts)
(
    flights.join(airports, lambda flight, airport: airport.state, foreign_key=F.destination, value=str, name="bound")
    .to_stream()
    .group_by(lambda key, state: state, key=str, name="by-state")
    .windowed_by(tumbling(timedelta(days=1), grace=GRACE), emit="close")
    .count(store="days")
    .to_stream()
    .map(lambda k, n: (k.key, [k.start, n]), key=str, value=Json())
    .to("days")
)
