"""Which state's flights ran how late, day by day: a stream-table join, a re-key, a windowed aggregate.

    headrace dev examples/flight_delays.py:app
    headrace produce airports '{"iata": "SEA", "city": "Seattle", "state": "WA"}' --key SEA
    headrace produce flights --key SEA \
        '{"ts": 978310860000, "origin": "SEA", "destination": "JFK", "delay": 12, "distance": 2421}'
    headrace consume delays --key-type windowed
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, count, max_, mean, tumbling


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

if __name__ == "__main__":
    app.run()
