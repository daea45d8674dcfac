"""The README's program on the test driver: join, re-key, daily windows, named aggregates."""

from __future__ import annotations

from typing import Literal

import pytest

from streams import Windowed
from streams.testing import TopologyTestDriver
from tests.streams.topology.flights import DAY, Airport, Flight, flight_delays

NOON = 11_323 * DAY + DAY // 2


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
def test_flight_delays_several_flights_aggregates_by_state_and_day(stores: Literal["memory", "rocksdb"]) -> None:
    """Flights of two airports of one state fall into one window per day, with the aggregates exact."""
    with TopologyTestDriver(flight_delays(), stores=stores) as driver:
        airports, flights = driver.input_topic("airports"), driver.input_topic("flights")
        for iata in ("SFO", "LAX"):
            airports.pipe(Airport(iata, "a city", "CA"), key=iata, timestamp=0)
        for origin, delay, ts in (("SFO", 10, NOON), ("LAX", 21, NOON + 5), ("LAX", -1, NOON + DAY)):
            flights.pipe(Flight(ts, origin, "JFK", delay, 100), key=origin, timestamp=1)
        records = driver.output_topic("delays").read_all()
    start = NOON - DAY // 2
    assert [(r.key, r.value.flights, r.value.mean_delay, r.value.worst, r.timestamp) for r in records] == [
        (Windowed("CA", start, start + DAY), 1, 10.0, 10, NOON),
        (Windowed("CA", start, start + DAY), 2, 15.5, 21, NOON + 5),
        (Windowed("CA", start + DAY, start + 2 * DAY), 1, -1.0, -1, NOON + DAY),
    ]


def test_flight_delays_unknown_airport_gives_no_result() -> None:
    """An inner join drops the flight whose airport the table lacks."""
    with TopologyTestDriver(flight_delays()) as driver:
        driver.input_topic("flights").pipe(Flight(NOON, "XXX", "JFK", 1, 1), key="XXX")
        assert driver.output_topic("delays").read_all() == []


def test_flight_delays_flight_after_window_and_grace_is_late() -> None:
    """Once the clock passed a window's end and grace, a flight of that window is dropped and counted."""
    with TopologyTestDriver(flight_delays()) as driver:
        driver.input_topic("airports").pipe(Airport("SFO", "San Francisco", "CA"), key="SFO", timestamp=0)
        flights = driver.input_topic("flights")
        flights.pipe(Flight(NOON + DAY, "SFO", "JFK", 1, 1), key="SFO")
        flights.pipe(Flight(NOON, "SFO", "JFK", 1, 1), key="SFO")
        assert len(driver.output_topic("delays")) == 1
        assert driver.counters()["dropped_late"] == 1


def test_flight_delays_store_rows_show_results() -> None:
    """The store holds states; `rows` shows what users asked for."""
    with TopologyTestDriver(flight_delays()) as driver:
        driver.input_topic("airports").pipe(Airport("SFO", "San Francisco", "CA"), key="SFO", timestamp=0)
        driver.input_topic("flights").pipe(Flight(NOON, "SFO", "JFK", 7, 1), key="SFO")
        ((key, (value, timestamp)),) = driver.rows("delays-by-state").items()
        assert key == ("CA", NOON - DAY // 2)
        assert (value.flights, value.mean_delay, value.worst, timestamp) == (1, 7.0, 7, NOON)
