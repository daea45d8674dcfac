"""One run: flights stream in, faults happen, and in the end everything is compared."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broker import Broker
from streams.demo.batch_answer import Comparison, batch_answer, compare
from streams.demo.dataset import read_flights
from streams.demo.flight_delays import STORE, app
from streams.demo.tally import StateDay
from tests.integration.flights_job import FlightsJob, RunningBroker
from tests.soak.faults import Chaos
from tests.soak.state import state_differences, store_rows
from tests.soak.updates import UpdateTally

PARTITIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run has come to."""

    comparison: Comparison
    lost: int
    """Flights that are missing from their window."""
    repeated: int
    skipped: int
    state_differences: tuple[str, ...]
    """Stores that are not what their changelogs say, or not what was put out."""
    faults: dict[str, int]
    seconds: float

    @property
    def nothing_lost(self) -> bool:
        return self.lost == 0

    @property
    def exact(self) -> bool:
        return (
            self.comparison.equal
            and not self.repeated
            and not self.skipped
            and not self.lost
            and not self.state_differences
        )


def run(
    broker: RunningBroker,
    directory: Path,
    *,
    faults: int,
    seed: int,
    flights_per_fault: int = 1_000,
    between_s: tuple[float, float] = (0.3, 3.0),
    pause_s: tuple[float, float] = (0.2, 13.0),
    tell: Callable[[str], None] = lambda line: None,
) -> Verdict:
    """Runs the flight-delays job on 8 partitions through so many faults.

    Args:
        broker: a bundled one is killed now and then, any other left alone.
        seed: of everything that is drawn. Processes have a timing of their own, so it does not repeat a run exactly.
    """
    began = time.monotonic()
    draw = random.Random(seed)
    flights = read_flights(rows=(faults + 2) * flights_per_fault)
    tally = UpdateTally()
    job = FlightsJob(broker, flights, directory, partitions=PARTITIONS, tally=tally)
    try:
        chaos = Chaos(job, draw, broker=broker if isinstance(broker, Broker) else None, pause_s=pause_s)
        loaded = 0
        for number in range(faults):
            job.send(loaded, loaded + flights_per_fault)
            loaded += flights_per_fault
            time.sleep(draw.uniform(*between_s))
            kind = chaos.next()
            tell(f"{number + 1}/{faults} {kind}, {tally.flights:,} of {loaded:,} flights counted")
            job.read_output()
        chaos.calm()
        job.load(loaded, len(flights))
        job.wait_until_processed()
        chaos.end()
        job.drain()
        expected, rows = batch_answer(flights), job.tally.rows()
        return Verdict(
            comparison=compare(rows, expected),
            lost=sum(
                max(row.flights - rows[key].flights if key in rows else row.flights, 0) for key, row in expected.items()
            ),
            repeated=tally.repeated,
            skipped=tally.skipped,
            state_differences=(*differences(job, directory), *surprises(job, tally)),
            faults=dict(chaos.counts),
            seconds=time.monotonic() - began,
        )
    finally:
        job.close()


def plan_of(job: FlightsJob):
    return app.plan().partitions(dict.fromkeys(("flights", "airports"), job.partitions))


def differences(job: FlightsJob, directory: Path) -> list[str]:
    return state_differences(
        job.broker.bootstrap_servers, plan_of(job), job.state_dir / "flight-delays", directory / "restored"
    )


def surprises(job: FlightsJob, tally: UpdateTally) -> list[str]:
    """Rows of the window store that are not the last thing that was put out for them."""
    shown = tally.rows()
    found: list[str] = []
    for task, rows in store_rows(plan_of(job), job.state_dir / "flight-delays", STORE).items():
        for (key, start), (state, _) in rows.items():
            row = shown.get(StateDay(key.decode(), start))
            if row is None or row.flights != state[0]:
                found.append(f"{task} {key.decode()}@{start}: {state} in the store, {row} put out")
    return found
