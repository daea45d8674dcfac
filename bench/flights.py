"""The flights of the demo's sample, and what is true of their delays by state and day.

Where more are wanted than the sample has, it flies again half a year later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from bench.topics import Row
from streams.demo.arrow import milliseconds
from streams.demo.dataset import DAY_MS, airport_records, read_airports, read_flights

AGAIN_MS = 182 * DAY_MS
"""The sample is of 182 days, the last of which has flights of midnight alone."""


class Flight(msgspec.Struct):
    ts: int
    origin: str
    destination: str
    delay: int
    distance: int


class Numbers(msgspec.Struct):
    """Of a state and day."""

    flights: int
    mean_delay: float
    worst: int

    def differs(self, other: Numbers) -> bool:
        means_agree = math.isclose(self.mean_delay, other.mean_delay, rel_tol=1e-9, abs_tol=1e-9)
        return not means_agree or (self.flights, self.worst) != (other.flights, other.worst)


@dataclass(frozen=True, slots=True)
class FlightTruth:
    """How many updates come out, and the last numbers of each state and start of day, in ms."""

    records: int
    days: dict[tuple[str, int], Numbers]


class Flights:
    """Topics of flights, keyed by their origin, in the order of departure, and of airports, older than all flights."""

    def __init__(self, number: int, users: int) -> None:
        """`users` is what other data ask for."""
        self.records = number

    def __iter__(self) -> Iterator[Flight]:
        table = read_flights().table
        columns = (
            milliseconds(table["date"]),
            *(table[name] for name in ("origin", "destination", "delay", "distance")),
        )
        sample = list(zip(*(column.to_pylist() for column in columns)))
        flown = (
            Flight(ts + again * AGAIN_MS, *rest)
            for again in range(self.records // len(sample) + 1)
            for ts, *rest in sample
        )
        return islice(flown, self.records)

    def topics(self) -> dict[str, Iterable[Row]]:
        encode = msgspec.json.Encoder().encode
        flights = ((flight.origin, encode(flight), flight.ts) for flight in self)
        first = next(iter(self)).ts
        return {
            "flights": flights,
            "airports": ((key.decode(), value, first - 1) for key, value in airport_records()),
        }

    def delays(self) -> FlightTruth:
        """Of flights from airports that are known, as an inner join has it."""
        states = {airport.iata: airport.state for airport in read_airports()}
        sums: dict[tuple[str, int], tuple[int, int, int]] = {}
        records = 0
        for flight in self:
            if (state := states.get(flight.origin)) is None:
                continue
            day = (state, flight.ts - flight.ts % DAY_MS)
            number, total, worst = sums.get(day, (0, 0, flight.delay))
            sums[day] = (number + 1, total + flight.delay, max(worst, flight.delay))
            records += 1
        return FlightTruth(
            records, {day: Numbers(number, total / number, worst) for day, (number, total, worst) in sums.items()}
        )


@dataclass(slots=True)
class DelayTally:
    """Keeps the newest numbers of each state and day.

    The key is the state with the window's start behind it, as Kafka Streams writes windowed keys, or the state alone
    with the start in the value.
    """

    records: int = 0
    days: dict[tuple[str, int], Numbers] = field(default_factory=dict)

    def add(self, key: bytes, value: dict[str, Any] | None) -> None:
        assert value is not None
        self.records += 1
        start = value.get("start")
        if start is None:
            key, start = key[:-8], int.from_bytes(key[-8:], "big")
        numbers = Numbers(value["flights"], value["mean_delay"], value["worst"])
        self.days[key.decode(), start] = numbers

    def counted(self) -> int:
        return sum(numbers.flights for numbers in self.days.values())

    def problem(self, truth: FlightTruth) -> str | None:
        wrong = [day for day, numbers in truth.days.items() if day not in self.days or numbers.differs(self.days[day])]
        if not wrong and len(self.days) == len(truth.days) and self.records == truth.records:
            return None
        flights = sum(numbers.flights for numbers in truth.days.values())
        return (
            f"{len(wrong)} of {len(truth.days)} days of states are wrong or missing, {self.counted():,} of {flights:,} "
            f"flights counted, in {self.records:,} instead of {truth.records:,} updates"
        )
