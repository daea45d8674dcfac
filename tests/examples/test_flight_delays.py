"""Delays of real flights by state and day."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from examples.event import Event
from examples.flight_delays.__main__ import main
from examples.flight_delays.app import app
from examples.flight_delays.data import airports, flights
from streams.demo import flight_delays as demo
from streams.render import describe
from tests.examples.conftest import Drive

AIRPORTS = Path(demo.__file__).parent / "data" / "airports.csv"
DAY_MS = 86_400_000


def delays(events: Iterable[Event]) -> dict[tuple[str, int], list[int]]:
    """The delays of each state and first ms of a day (UTC)."""
    states = {row["iata"]: row["state"] for row in csv.DictReader(AIRPORTS.read_text().splitlines())}
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for event in events:
        if event.value.origin in states:
            found[states[event.value.origin], event.value.ts // DAY_MS * DAY_MS].append(event.value.delay)
    return found


def test_delays_are_those_of_a_plain_computation(drive: Drive) -> None:
    """Of 2,000 flights; what the driver gives last for a state and day is its result."""
    some = flights()[:2_000]
    driver = drive(app, [*airports(), *some])
    results = {(record.key.key, record.key.start): record.value for record in driver.output_topic("delays").read_all()}
    expected = delays(some)
    assert results.keys() == expected.keys()
    for key, minutes in expected.items():
        row = results[key]
        assert (row.flights, row.worst) == (len(minutes), max(minutes))
        assert row.mean_delay == pytest.approx(sum(minutes) / len(minutes))


def test_run_on_a_broker_counts_every_flight(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From four partitions through a repartition topic of four, a week with an hour of grace: none is late."""
    main(bootstrap_servers)
    expected = delays(flights())
    first, _, _, *lines = capsys.readouterr().out.splitlines()
    counted = sum(map(len, expected.values()))
    assert first.startswith(f"{len(flights()):,} flights of a week, {counted:,} counted by state and day, in ")
    busy = {key: sum(minutes) / len(minutes) for key, minutes in expected.items() if len(minutes) > 100}
    worst = sorted(busy.items(), key=lambda row: -row[1])[:8]
    told = [line.split()[:4] for line in lines]
    assert told == [
        [state, str(datetime.fromtimestamp(day / 1000, UTC).date()), str(len(expected[state, day])), f"{mean:.1f}"]
        for (state, day), mean in worst
    ]


def test_topology_is_the_demos() -> None:
    """The example, the demo and the README show one and the same program."""
    assert describe(app.plan()) == describe(demo.app.plan())
