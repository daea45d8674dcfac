"""A run of the demo on a broker that is up: loads, processes and counts at the same time, until all is counted."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from streams.cli.clients import admin_at, consumer, producer
from streams.cli.failures import CommandFailed
from streams.cli.home import WORKER_LOG, Home
from streams.cli.stopping import StopRequest
from streams.cli.supervisor import Supervisor
from streams.cli.terminal import command_name, on_terminal, print_table, talk
from streams.cli.worker_process import WorkerCommand, WorkerProcess
from streams.cluster.group_lag import group_lag
from streams.demo.batch_answer import batch_answer, compare
from streams.demo.dataset import Flights, read_airports
from streams.demo.flight_delays import OUTPUT_TOPIC, STORE
from streams.demo.flight_delays import app as application
from streams.demo.loader import (
    AIRPORTS_TOPIC,
    FLIGHTS_TOPIC,
    PRODUCER_CONFIG,
    DeliveryFailures,
    FlightLoader,
    load_airports,
)
from streams.demo.screen import COLUMNS, LiveScreen, PlainScreen, Progress, Rate, Screen, worst_rows
from streams.demo.tally import Tally
from streams.demo.topics import create_topics, record_counts
from streams.discovery import BrokerLocation

APPLICATION = "streams.demo.flight_delays:app"
SHOWN = 10
ENOUGH_FLIGHTS = 30
"""A mean over fewer flights of a day says little; the table leaves such days out (all are in the result)."""
TICK_S = 0.1
BATCH = 20_000
STALLED_AFTER_S = 60.0


class DemoRun:
    """Owns loader, workers and tally. `until_complete` drives them; `end` stops whatever still runs."""

    def __init__(self, bootstrap_servers: str, home: Home, flights: Flights, *, partitions: int, workers: int) -> None:
        self._location = BrokerLocation.bundled(bootstrap_servers)
        self._home = home
        self._flights = flights
        self._partitions = partitions
        self._expected = _matched(flights)
        self._tally = Tally()
        self._log_file = home.path / WORKER_LOG
        self._log = self._log_file.open("ab")
        self._screen: Screen = _screen()
        self._supervisor = Supervisor(workers, self._start_worker, say=self._screen.say)
        with_ends: dict[str, Any] = {"enable.partition.eof": True}
        self._output = consumer(self._location, **with_ends)
        self._read_to: dict[int, int] = {}
        self._offsets = consumer(self._location)
        """Asks for ends of logs; on the other one's connection they would wait behind its fetches."""
        self._loader: FlightLoader | None = None
        self._processing_s = 0.0
        self._counted_before = 0

    # -- driving --------------------------------------------------------------------------------------------------
    def until_complete(self, stop: StopRequest) -> bool:
        """Loads, runs and shows until every flight is counted; False if asked to stop before.

        Raises:
            CommandFailed: the workers fail again and again, or nothing has moved for a minute.
        """
        from confluent_kafka import TopicPartition

        create_topics(admin_at(self._location), partitions=self._partitions)
        self._output.assign([TopicPartition(OUTPUT_TOPIC, p, 0) for p in range(self._partitions)])
        self._read_to_end()
        self._counted_before = self._tally.flights
        self._supervisor.step()  # the workers start up while the airports are loaded
        loader = self._load()
        rate = Rate(time.monotonic)
        began = moved = time.monotonic()
        last = (-1, -1)
        with self._screen as screen:
            while not stop.requested:
                self._check(loader)
                self._read_output()
                now = (loader.loaded, self._tally.updates)
                if now != last:
                    last, moved = now, time.monotonic()
                screen.show(self._progress(loader, rate))
                if loader.finished and self._tally.flights >= self._expected:
                    self._processing_s = time.monotonic() - began
                    return True
                if time.monotonic() - moved > STALLED_AFTER_S:
                    raise CommandFailed(self._stalled())
        return False

    def serve(self, stop: StopRequest) -> None:
        """Keeps the workers running until asked to stop."""
        self._supervisor.run(stop.wait)

    def end_workers(self) -> None:
        """Lets the workers commit and leave, then reads the last of their output."""
        self._supervisor.drain()
        self._read_to_end()

    def end(self) -> None:
        """Stops everything that still runs: the loader, the workers, the clients."""
        if self._loader is not None:
            self._loader.stop()
        self._supervisor.drain()
        self._output.close()
        self._offsets.close()
        self._log.close()

    # -- telling --------------------------------------------------------------------------------------------------
    def report(self, total_s: float) -> None:
        """Table to stdout; figures, the check and what to do next to stderr.

        Raises:
            CommandFailed: the result is not that of the batch computation.
        """
        worst = self._tally.worst(SHOWN, at_least=self._threshold())
        talk(f"\nThe worst days: mean delay by state and day (UTC), of at least {self._threshold()} flights\n")
        print_table(COLUMNS, worst_rows(worst), right=COLUMNS[2:])
        counted = self._tally.flights - self._counted_before
        talk(f"\n{self._tally.flights:,} flights counted in {len(self._tally.rows()):,} windows")
        if counted:
            speed = f"in {self._processing_s:.1f} s, {counted / self._processing_s:,.0f} flights/s"
            talk(f"{counted:,} of them in this run, {speed}; {total_s:.1f} s with start and stop")
        else:
            talk(f"all of them by earlier runs; {total_s:.1f} s with start and stop")
        comparison = compare(self._tally.rows(), batch_answer(self._flights))
        if not comparison.equal:
            first = comparison.differing[0]
            raise CommandFailed(
                f"the result is wrong: {len(comparison.differing)} of {comparison.windows:,} windows differ from the "
                f"batch computation (first: {first.state} {first.day}), {comparison.counted_flights:,} flights counted "
                f"of {comparison.expected_flights:,}; after a crash a flight may be counted twice: --fresh starts over"
            )
        talk(f"complete: all {comparison.windows:,} windows equal a batch computation over the same file")
        if not self._supervisor.running:
            rows = group_lag(admin_at(self._location), application.settings.application_id)
            lag = sum(row.lag or 0 for row in rows if row.topic == FLIGHTS_TOPIC)
            talk(f"committed: the workers' offsets on {FLIGHTS_TOPIC!r} are {lag} behind its end")
        talk(f"\nlog    {self._home.broker_dir}\nstate  {self._home.state_dir}")
        talk("\nNext:\n" + "\n".join(f"  {line}" for line in self._next_commands(worst[0][0].state if worst else "CA")))

    def kept(self) -> str:
        """What an interrupted run leaves, and how to go on."""
        loaded = 0 if self._loader is None else self._loader.loaded
        return (
            f"kept in {self._home.path}: {loaded:,} of {len(self._flights):,} flights loaded, "
            f"{self._tally.flights:,} counted. `{command_name()} demo` goes on from there, --fresh starts over."
        )

    def _next_commands(self, state: str) -> list[str]:
        directory, headrace = _shown(self._home.path), command_name()
        return [
            f"{headrace} query {STORE} {state} --dir {directory} --app {APPLICATION}",
            f"{headrace} consume {OUTPUT_TOPIC} --key-type windowed --last 5 --until-end --dir {directory}",
            f"{headrace} topology {APPLICATION}",
        ]

    # -- parts ----------------------------------------------------------------------------------------------------
    def _load(self) -> FlightLoader:
        failures = DeliveryFailures()
        client = producer(self._location, on_delivery=failures, **PRODUCER_CONFIG)
        if sum(record_counts(self._offsets, AIRPORTS_TOPIC, partitions=self._partitions)) < len(read_airports()):
            load_airports(client, failures, partitions=self._partitions, timestamp=self._flights.first_timestamp)
        present = record_counts(self._offsets, FLIGHTS_TOPIC, partitions=self._partitions)
        if sum(present) > len(self._flights):
            raise CommandFailed(
                f"{self._home.path} holds {sum(present):,} flights, more than the {len(self._flights):,} asked for: "
                "use --fresh, or another --dir"
            )
        self._loader = FlightLoader(client, failures, self._flights, present)
        self._loader.start()
        return self._loader

    def _start_worker(self) -> WorkerProcess:
        command = WorkerCommand(
            application=APPLICATION,
            bootstrap_servers=self._location.bootstrap_servers,
            state_dir=self._home.state_dir,
            home=self._home.path,
        )
        return WorkerProcess(command, talk_to=self._log)

    def _check(self, loader: FlightLoader) -> None:
        if loader.error is not None:
            raise loader.error
        try:
            self._supervisor.step()
        except CommandFailed as error:
            raise CommandFailed(f"{error.message}\n{_tail(self._log_file)}") from error

    def _read_output(self) -> None:
        from confluent_kafka import KafkaError, KafkaException

        messages = self._output.consume(BATCH, TICK_S)
        for message in messages:
            error = message.error()
            if error is None or error.code() == KafkaError._PARTITION_EOF:  # pyright: ignore[reportPrivateUsage]
                ended = error is not None  # then the offset is that of the end, markers of transactions included
                self._read_to[message.partition() or 0] = (message.offset() or 0) + (0 if ended else 1)
            elif not error.retriable():
                raise KafkaException(error)
        self._tally.add([message for message in messages if message.error() is None])

    def _read_to_end(self) -> None:
        ends = record_counts(self._offsets, OUTPUT_TOPIC, partitions=self._partitions)
        deadline = time.monotonic() + STALLED_AFTER_S
        while sum(self._read_to.values()) < sum(ends) and time.monotonic() < deadline:
            self._read_output()

    def _progress(self, loader: FlightLoader, rate: Rate) -> Progress:
        return Progress(
            total=len(self._flights),
            loaded=loader.loaded,
            counted=self._tally.flights,
            rate=rate.at(self._tally.flights),
            worst=self._tally.worst(SHOWN, at_least=self._threshold()),
        )

    def _threshold(self) -> int:
        return ENOUGH_FLIGHTS if len(self._flights) >= 100_000 else 1

    def _stalled(self) -> str:
        return (
            f"nothing has moved for {STALLED_AFTER_S:.0f} s: {self._tally.flights:,} of {self._expected:,} flights "
            f"counted\n{_tail(self._log_file)}"
        )


def _matched(flights: Flights) -> int:
    """How many flights find their airport, that is, how many the result must count."""
    known = {airport.iata for airport in read_airports()}
    return sum(number for origin, number in flights.per_origin().items() if origin in known)


def _screen() -> Screen:
    from rich.console import Console

    if sys.stderr.isatty() and on_terminal():
        return LiveScreen(Console(stderr=True))
    return PlainScreen(talk, time.monotonic)


def _shown(path: Path) -> str:
    """As short as it can be written for the directory the user is in."""
    absolute = path.resolve()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def _tail(file: Path, lines: int = 15) -> str:
    """The end of the workers' log."""
    text = file.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"the end of {file}:", *(click.unstyle(line) for line in text)]) if text else ""
