"""Which state's flights ran how late, day by day.

    flights ──────────> join ──> group by state ──> days ──> flights, mean, worst ──> delays
    airports ──(table)───┘                                   [delays-by-state]

A flight knows its airport, the airport knows its state: a join of a stream with a table. The state becomes the key,
so flights go through a topic on which those of a state lie together. Four partitions of flights are read there, each
at its own pace; that no flight is taken for late, however far ahead the others are, is what watermarks are for.

    python -m examples.flight_delays              a week of real flights, and its worst days

or live:

    headrace dev examples/flight_delays/app.py:app
    headrace produce airports '{"iata": "SEA", "city": "Seattle", "state": "WA"}' --key SEA
    headrace produce flights --key SEA \
        '{"ts": 978310860000, "origin": "SEA", "destination": "JFK", "delay": 12, "distance": 2421}'
    headrace consume delays --key-type windowed

`headrace demo` runs it on half a million flights.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, count, max_, mean, tumbling


class Flight(msgspec.Struct):
    """`ts`: scheduled departure, ms since the epoch; `delay` in minutes, negative when early; `distance` in miles."""

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
    # An inner join: flights from airports that nobody has told of are left out.
    flights.join(airports, lambda flight, airport: Delay(airport.state, flight.delay))
    .group_by(F.state)
    .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
    .aggregate(flights=count(), mean_delay=mean(F.minutes), worst=max_(F.minutes), store="delays-by-state")
    .to_stream()
    .to("delays")
)

if __name__ == "__main__":
    app.run()
