"""The program that README and design show, as tests use it."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, count, max_, mean, tumbling

DAY = 86_400_000


class Flight(msgspec.Struct):
    ts: int
    origin: str
    destination: str
    delay: int
    distance: int


class Airport(msgspec.Struct):
    iata: str
    city: str
    state: str


class Delay(msgspec.Struct):
    state: str
    minutes: int


def flight_delays() -> App:
    app = App("flight-delays")
    flights = app.stream("flights", key=str, value=Flight, timestamp=F.ts)
    airports = app.table("airports", key=str, value=Airport)
    (
        flights.join(airports, lambda flight, airport: Delay(airport.state, flight.delay))
        .group_by(F.state)
        .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
        .aggregate(flights=count(), mean_delay=mean(F.minutes), worst=max_(F.minutes), store="delays-by-state")
        .to_stream()
        .to("delays")
    )
    return app
