"""`headrace run`: an application in this process, for as long as is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.application import APP_ARGUMENT, load_app
from streams.cli.home import Home
from streams.cli.options import bootstrap_option
from streams.cli.terminal import talk
from streams.cli.web_port import web_options

if TYPE_CHECKING:
    from streams.discovery import BrokerLocation
    from streams.plan.plan import Plan

LOOK_S = 0.2


@click.command(short_help="Run an application in this process.")
@APP_ARGUMENT
@click.option("--until-end", is_flag=True, help="Stop when everything is processed that was there at the start.")
@click.option("--state-dir", type=click.Path(path_type=Path, file_okay=False), help="Where the stores are.")
@bootstrap_option
@web_options
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def run(
    application: str,
    until_end: bool,
    state_dir: Path | None,
    bootstrap_servers: str | None,
    web: bool,
    web_port: int | None,
    verbose: bool,
) -> None:
    """Run MODULE:APP in this process, until Ctrl-C or until its inputs end.

    For backfills and scripts; `headrace worker` runs several processes and looks after them.

    \b
    headrace run app.py:app --until-end
    """
    from streams.cli.clients import require_broker
    from streams.cli.logs import log_to_stderr
    from streams.cli.running import worker_here
    from streams.discovery import locate_broker

    log_to_stderr(verbose=verbose)
    app = load_app(application)
    location = locate_broker(bootstrap_servers or app.settings.bootstrap_servers)
    plan = app.plan()
    require_broker(location)
    with (
        worker_here(app, location, state_dir or app.settings.state_dir, Home.nearest(), web=web, web_port=web_port) as (
            running,
            stop,
        ),
        stopped_at_end(location, plan, running.stop) if until_end else nullcontext(),
    ):
        running.run()
    raise click.exceptions.Exit(stop.exit_code)


@contextmanager
def stopped_at_end(location: BrokerLocation, plan: Plan, stop: Callable[[], None]) -> Generator[None]:
    """While the block runs, calls `stop` once everything is processed that was there when it began."""
    left = threading.Event()
    with closing(End(location, plan)) as end:

        def watch() -> None:
            while not left.wait(LOOK_S):
                if end.is_reached():
                    talk("everything that was there is processed")
                    stop()
                    return

        watching = threading.Thread(target=watch, name="until-end")
        watching.start()
        try:
            yield
        finally:
            left.set()
            watching.join()


class End:
    """Where an application's inputs ended when this was made, and whether all that follows from them is processed.

    Offsets are committed in one transaction with what the records led to; so once the inputs are committed up to their
    ends, whatever is still to be done stands on repartition topics.
    """

    def __init__(self, location: BrokerLocation, plan: Plan) -> None:
        from streams.cli.clients import admin_at, consumer

        self._admin = admin_at(location)
        self._client = consumer(location)
        self._group = plan.application_id
        sources = [source for sub in plan.subtopologies for source in sub.sources]
        self._repartition = {source.topic for source in sources if source.role == "repartition"}
        self._ends = self._ends_of({source.topic for source in sources} - self._repartition)

    def is_reached(self) -> bool:
        committed = self._admin.committed(self._group)
        if any(committed.get(place, 0) < end for place, end in self._ends.items()):
            return False
        return all(committed.get(place, 0) >= end for place, end in self._ends_of(self._repartition).items())

    def close(self) -> None:
        self._client.close()

    def _ends_of(self, topics: set[str]) -> dict[tuple[str, int], int]:
        from streams.cluster.partitions import offset_ranges

        counts = self._admin.partition_counts()
        return {
            (topic, partition): high
            for topic in topics & counts.keys()
            for partition, (low, high) in offset_ranges(self._client, topic, list(range(counts[topic]))).items()
            if high > low
        }
