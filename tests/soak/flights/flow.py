"""The demo's job: a stream-table join, a re-key, daily windows."""

from __future__ import annotations

from pathlib import Path

from streams.demo.batch_answer import batch_answer, compare
from streams.demo.dataset import read_flights
from streams.demo.flight_delays import OUTPUT_TOPIC, STORE, app
from streams.demo.tally import StateDay
from tests.integration.flights_job import FlightsJob
from tests.integration.worker_fleet import RunningBroker
from tests.soak.flights.updates import UpdateTally
from tests.soak.state import state_differences, store_rows
from tests.soak.verdict import EXAMPLES, OutputCheck


class FlightsFlow:
    """Every update of every key once and in order, the windows as a batch computation has them."""

    name = "flights"
    outputs = (OUTPUT_TOPIC,)
    partitions = 8

    def __init__(self, broker: RunningBroker, directory: Path, *, faults: int, per_fault: int = 1_000) -> None:
        flights = read_flights(rows=(faults + 2) * per_fault)
        self._tally = UpdateTally()
        self._job = FlightsJob(broker, flights, directory, partitions=self.partitions, tally=self._tally)
        self._scratch = directory / "restored"
        self.fleet = self._job.workers
        self.per_fault = per_fault
        self.length = len(flights)

    def send(self, start: int, end: int) -> None:
        self._job.send(start, end)
        self._job.read_output()

    def progress(self) -> str:
        return f"{self._tally.flights:,} flights counted"

    def finished(self) -> bool:
        self._job.load(self.length, self.length)
        self._job.wait_until_processed()
        return True

    def checks(self) -> list[OutputCheck]:
        self._job.drain()
        expected, rows = batch_answer(self._job.flights), self._tally.rows()
        differing = compare(rows, expected).differing
        missing = (row.flights - (rows[key].flights if key in rows else 0) for key, row in expected.items())
        return [
            OutputCheck(
                output=OUTPUT_TOPIC,
                compared="flights, updates in sequence and windows",
                expected=sum(row.flights for row in expected.values()),
                records=self._tally.updates,
                lost=sum(max(number, 0) for number in missing),
                doubled=self._tally.repeated,
                wrong=len(differing) + self._tally.skipped,
                examples=tuple(f"{key}: {rows.get(key)} instead of {expected.get(key)}" for key in differing)[
                    :EXAMPLES
                ],
            )
        ]

    def findings(self) -> list[str]:
        """Stores that are not as their changelogs, and rows that are not the last thing that was put out for them."""
        plan = app.plan().partitions(dict.fromkeys(("flights", "airports"), self.partitions))
        directories, shown = [disk / "flight-delays" for disk in self.fleet.state_dirs], self._tally.rows()
        found = state_differences(self.fleet.broker.bootstrap_servers, plan, directories, self._scratch)
        for task, rows in (each for place in directories for each in store_rows(plan, place, STORE).items()):
            for (key, start), (state, _) in rows.items():
                row = shown.get(StateDay(key.decode(), start))
                if row is None or row.flights != state[0]:
                    found.append(f"{task} {key.decode()}@{start}: {state} in the store, {row} put out")
        return found

    def close(self) -> None:
        self._job.close()
