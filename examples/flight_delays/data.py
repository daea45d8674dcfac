"""Every sixth flight within the USA in the first week of 2001: out of the demo's data, streams/demo/data/README.md."""

from __future__ import annotations

import csv
from datetime import datetime
from importlib.resources import files

import pyarrow.parquet as parquet

from examples.event import Event, milliseconds
from examples.flight_delays.app import Airport, Flight

SAMPLE = files("streams.demo") / "data"
FIRST = "2001-01-01"
END = "2001-01-08"


def airports() -> list[Event]:
    """A table's rows come before the first flight: who joins meets what was there at the time."""
    with (SAMPLE / "airports.csv").open() as lines:
        found = [Airport(row["iata"], row["city"], row["state"]) for row in csv.DictReader(lines)]
    before = milliseconds(FIRST) - 1
    return [Event("airports", airport.iata, airport, before) for airport in found]


def flights() -> list[Event]:
    first, end = datetime.fromisoformat(FIRST), datetime.fromisoformat(END)
    with (SAMPLE / "flights.parquet").open("rb") as file:
        table = parquet.read_table(file, filters=[("date", ">=", first), ("date", "<", end)])
    rows = zip(*(table[name].to_pylist() for name in ("date", "origin", "destination", "delay", "distance")))
    found = [
        Flight(milliseconds(date.isoformat()), origin, destination, delay, distance)
        for date, origin, destination, delay, distance in rows
    ]
    return [Event("flights", flight.origin, flight, flight.ts) for flight in found]


def events() -> list[Event]:
    return airports() + flights()
