"""`headrace demo`: half a million real flights through the bundled broker and the flight-delays application."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from streams.cli.failures import INTERRUPTED
from streams.cli.home import Home
from streams.cli.terminal import talk
from streams.discovery import HOME_DIRECTORY

DEFAULT_HOME = Path(HOME_DIRECTORY) / "demo"


@click.command(short_help="Count half a million real flights, and check the result.")
@click.option("--rows", type=click.IntRange(min=1), help="Only the first N flights.")
@click.option(
    "--data",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Another Parquet file with date, delay, distance, origin, destination, such as the full flights-3m.parquet "
    "of vega-datasets.",
)
@click.option("--partitions", type=click.IntRange(min=1, max=64), default=4, show_default=True)
@click.option("--workers", type=click.IntRange(min=1, max=16), default=1, show_default=True, help="Worker processes.")
@click.option("--fresh", is_flag=True, help="Delete what an earlier run left, and start over.")
@click.option("--serve", is_flag=True, help="Keep broker and workers running at the end, until Ctrl-C.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path),
    default=DEFAULT_HOME,
    show_default=True,
    help="Where log and state are kept.",
)
def demo(
    rows: int | None,
    file: Path | None,
    partitions: int,
    workers: int,
    fresh: bool,
    serve: bool,
    directory: Path,
) -> None:
    """Count half a million real flights by state and day, and show the worst.

    Starts the bundled broker on a free port, loads airports and flights (US Bureau of Transportation Statistics,
    January to June 2001), runs the flight-delays application in a worker, and checks the result against a batch
    computation over the same file. A second run goes on with the data and the state of the first.

    \b
    headrace demo --workers 2
    headrace demo --serve
    """
    from streams.cli.demo_run import DemoRun
    from streams.cli.failures import CommandFailed
    from streams.cli.stopping import stop_signals
    from streams.demo.dataset import read_flights
    from streams.demo.manifest import Manifest, prepare_directory

    began = time.monotonic()
    home = Home(directory)
    running = home.running_broker()
    if running is not None:
        raise CommandFailed(f"a demo is running in {directory} already (its broker: {running.bootstrap_servers})")
    flights = read_flights(file, rows=rows)
    manifest = Manifest(flights=flights.fingerprint, partitions=partitions)
    resumed = prepare_directory(directory, manifest, fresh=fresh)
    if resumed:
        talk(f"going on with the data in {directory} (--fresh starts over)")
    with ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        location = stack.enter_context(_broker(home))
        run = DemoRun(location, home, flights, partitions=partitions, workers=workers)
        stack.callback(run.end)
        complete = run.until_complete(stop)
        if complete:
            if not serve:
                run.end_workers()
            run.report(time.monotonic() - began)
        if complete and serve:
            talk("\nserving until Ctrl-C")
            run.serve(stop)
        elif not complete:
            run.end()
            talk(f"\nstopped; {run.kept()}")
    if stop.requested:
        raise click.exceptions.Exit(stop.exit_code if serve or stop.exit_code else INTERRUPTED)


@contextmanager
def _broker(home: Home) -> Generator[str]:
    """The bundled broker on a free port with its log in the home."""
    from broker import Broker

    with Broker(data=home.broker_dir) as broker, home.announce_broker(broker.bootstrap_servers, home.broker_dir):
        yield broker.bootstrap_servers
