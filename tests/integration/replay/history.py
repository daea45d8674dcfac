"""Half a year of flights as two topics of events: each departs, and later arrives.

Both topics are keyed by the airport of departure, so that what goes by another key has to be brought together first.
Events are written when they are told, up to `LATEST_MS` after their own time, so that each partition is out of order by
less than the grace that the jobs allow.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import msgspec

from streams.demo.arrow import milliseconds
from streams.demo.dataset import Flights, read_airports, read_flights

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LATEST_MS = 50 * MINUTE_MS
"""How long after its time an event is written at the most."""
ROUNDS = 4
"""Of records after the history, each far later than those before: a round closes what the round before has opened, so
that time moves on behind three repartitions."""
ROUND_MS = 40 * DAY_MS
PATIENCE = timedelta(minutes=30)
"""Idle timeout of the jobs: no task may count as idle because the machine is slow or a worker is away. What an idle
task's worker could not read before others went on would be late, rightly."""


class Event(msgspec.Struct, frozen=True):
    """A departure or an arrival, at `ts` (ms). Delay in minutes, distance in miles."""

    ts: int
    id: str
    origin: str
    destination: str
    delay: int
    distance: int


@dataclass(frozen=True, slots=True)
class Written:
    """An event with the time at which it is written."""

    at: int
    event: Event


class History:
    """All events, in the order in which they are written, and what is to follow them."""

    def __init__(self, flights: Flights) -> None:
        self._flights = flights

    @cached_property
    def departures(self) -> list[Event]:
        """A late flight's departure is told late."""
        return in_order(Written(event.ts + min(max(event.delay, 0), 50) * MINUTE_MS, event) for event in self._events())

    @cached_property
    def arrivals(self) -> list[Event]:
        """Ground crews take a little while to tell."""
        arrivals = map(arrival, self._events())
        return in_order(Written(event.ts + place * 7 % 50 * MINUTE_MS, event) for place, event in enumerate(arrivals))

    @cached_property
    def ends(self) -> int:
        """Later than all events, ms."""
        return max(event.ts for event in self.arrivals) + DAY_MS

    @cached_property
    def rounds(self) -> list[Event]:
        """What follows both topics: a flight from each airport to itself in each round."""
        airports = sorted({code for event in self.departures for code in (event.origin, event.destination)})
        return [
            Event(self.ends + number * ROUND_MS, f"end-{number}-{code}", code, code, 0, 0)
            for number in range(1, ROUNDS + 1)
            for code in airports
        ]

    def _events(self) -> Iterator[Event]:
        table = self._flights.table
        columns = [table[name].to_pylist() for name in ("origin", "destination", "delay", "distance")]
        for place, row in enumerate(zip(milliseconds(table["date"]).to_pylist(), *columns)):
            yield Event(row[0], str(place), *row[1:])


def arrival(departed: Event) -> Event:
    """Half an hour and eight miles a minute later, and the delay."""
    minutes = 30 + departed.distance // 8 + max(departed.delay, -20)
    return msgspec.structs.replace(departed, ts=departed.ts + minutes * MINUTE_MS)


def in_order(events: Iterator[Written]) -> list[Event]:
    return [written.event for written in sorted(events, key=lambda written: written.at)]


def read_history(rows: int) -> History:
    """About so many flights, spread over the half year.

    The flights of the package, or those in the Parquet file that the environment variable `REPLAY_FLIGHTS` names;
    `REPLAY_ROWS` asks for another number, 0 for all.
    """
    file = os.environ.get("REPLAY_FLIGHTS")
    flights = read_flights(Path(file) if file else None)
    wanted = int(os.environ.get("REPLAY_ROWS", rows)) or len(flights)
    step = max(1, len(flights) // wanted)
    return History(Flights(flights.table.take(list(range(0, len(flights), step))), fingerprint="every so many"))


def states() -> dict[str, str]:
    """The state of each airport."""
    return {airport.iata: airport.state for airport in read_airports()}
