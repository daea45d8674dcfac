"""The demo's application: which state's flights ran how late, day by day. `headrace demo` runs it.

The same program as in the README and in examples/flight_delays/app.py.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, count, max_, mean, tumbling

OUTPUT_TOPIC = "delays"
STORE = "delays-by-state"


class Flight(msgspec.Struct):
    """A flight as it is on the topic. `ts` in ms since the epoch, `delay` in minutes, `distance` in miles."""

    ts: int
    origin: str
    destination: str
    delay: int
    distance: int


class Airport(msgspec.Struct):
    """An airport, keyed by its IATA code."""

    iata: str
    city: str
    state: str


class Delay(msgspec.Struct):
    """A flight's delay where it departed."""

    state: str
    minutes: int


app = App("flight-delays")

flights = app.stream("flights", key=str, value=Flight, timestamp=F.ts)
airports = app.table("airports", key=str, value=Airport)
(
    flights.join(airports, lambda flight, airport: Delay(airport.state, flight.delay))
    .group_by(F.state)
    .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
    .aggregate(flights=count(), mean_delay=mean(F.minutes), worst=max_(F.minutes), store=STORE)
    .to_stream()
    .to(OUTPUT_TOPIC)
)

if __name__ == "__main__":
    app.run()
