"""The demo's result worked out a second time, by Arrow over the whole file at once, to hold the stream's against.

It shares nothing with the application but the input: no join operator, no window, no watermark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from streams.demo.arrow import arrow, compute, milliseconds
from streams.demo.dataset import DAY_MS, Flights, read_airports
from streams.demo.tally import DelayRow, StateDay

TOLERANCE = 1e-9
"""Of the mean, relative: the stream adds up in another order."""


class Comparison(Struct, frozen=True, kw_only=True):
    """How the stream's result differs from the batch's: windows with the wrong numbers, and flights in all."""

    windows: int
    differing: tuple[StateDay, ...]
    expected_flights: int
    counted_flights: int

    @property
    def equal(self) -> bool:
        return not self.differing


def batch_answer(flights: Flights) -> dict[StateDay, DelayRow]:
    """Flights, mean and greatest delay by state and day; flights from unknown airports are left out, as in a join."""
    pa, pc = arrow(), compute()
    airports = read_airports()
    states = pa.table({"origin": [a.iata for a in airports], "state": [a.state for a in airports]})
    day = pc.multiply(pc.divide(milliseconds(flights.table["date"]), DAY_MS), DAY_MS)
    table = pa.table(
        {"origin": flights.table["origin"], "day": day, "delay": pc.cast(flights.table["delay"], pa.int64())}
    )
    grouped = table.join(states, "origin", join_type="inner").group_by(["state", "day"])
    answer = grouped.aggregate([("delay", "count"), ("delay", "sum"), ("delay", "max")])
    return {
        StateDay(row["state"], row["day"]): DelayRow(
            flights=row["delay_count"], mean_delay=row["delay_sum"] / row["delay_count"], worst=row["delay_max"]
        )
        for row in answer.to_pylist()
    }


def compare(stream: Mapping[StateDay, DelayRow], batch: Mapping[StateDay, DelayRow]) -> Comparison:
    """Every window, exact counts and maxima, means to `TOLERANCE`; missing and surplus windows differ."""
    differing = tuple(sorted(key for key in stream.keys() | batch.keys() if not _same(stream.get(key), batch.get(key))))
    return Comparison(
        windows=len(batch),
        differing=differing,
        expected_flights=sum(row.flights for row in batch.values()),
        counted_flights=sum(row.flights for row in stream.values()),
    )


def _same(one: DelayRow | None, other: DelayRow | None) -> bool:
    if one is None or other is None:
        return False
    means_agree = math.isclose(one.mean_delay, other.mean_delay, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return means_agree and one.flights == other.flights and one.worst == other.worst
