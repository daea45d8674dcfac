"""A week of real flights: `python -m examples.flight_delays`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from examples.flight_delays.app import app
from examples.flight_delays.data import airports, flights
from examples.playground import Playground


class Day(msgspec.Struct):
    """A value on the topic `delays`; delays in minutes."""

    flights: int
    mean_delay: float
    worst: int


class StateAndDay(NamedTuple):
    state: str
    start: int


def state_and_day(key: bytes) -> StateAndDay:
    """A window's key as Kafka Streams writes it: what was grouped by, then the window's start in eight bytes."""
    return StateAndDay(key[:-8].decode(), int.from_bytes(key[-8:], "big"))


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, partitions=4, bootstrap_servers=bootstrap_servers) as playground:
        playground.feed(airports())
        number = playground.feed(flights())
        seconds = playground.run()
        # Each flight has updated its window: the newest row is the one that counts.
        days = {event.key: event.value for event in playground.read("delays", Day, key=state_and_day)}
    counted = sum(day.flights for day in days.values())
    print(f"{number:,} flights of a week, {counted:,} counted by state and day, in {seconds:.1f} s")
    print("the worst days with more than 100 flights:")
    print("  STATE  DAY         FLIGHTS  MEAN DELAY     WORST")
    busy = {key: day for key, day in days.items() if day.flights > 100}
    for key, day in sorted(busy.items(), key=lambda row: -row[1].mean_delay)[:8]:
        date = datetime.fromtimestamp(key.start / 1000, UTC).date()
        print(f"  {key.state:5}  {date}  {day.flights:7}  {day.mean_delay:6.1f} min  {day.worst:4} min")


if __name__ == "__main__":
    main()
