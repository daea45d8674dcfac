"""W4 on headrace: the delays of the flights from a state's airports, day by day."""

from __future__ import annotations

import sys
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


def declare(app: App, source: str, sink: str) -> None:
    flights, airports = source.split(",")
    (
        app.stream(flights, key=str, value=Flight, timestamp=F.ts)
        .join(
            app.table(airports, key=str, value=Airport, store="airports"),
            lambda flight, airport: Delay(airport.state, flight.delay),
        )
        .group_by(F.state)
        .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
        .aggregate(flights=count(), mean_delay=mean(F.minutes), worst=max_(F.minutes), store="delays")
        .to_stream()
        .to(sink)
    )


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
