"""`headrace worker`: runs an application, in this process or in several."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.application import APP_ARGUMENT, load_app
from streams.cli.failures import INTERRUPTED
from streams.cli.home import Home
from streams.cli.options import bootstrap_option, log_format_option
from streams.cli.terminal import talk
from streams.cli.web_port import web_options

if TYPE_CHECKING:
    from streams.app import App
    from streams.discovery import BrokerLocation


@click.command(short_help="Run an application in several processes.")
@APP_ARGUMENT
@click.option("-n", "--processes", type=click.IntRange(min=1, max=256), default=1, show_default=True)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the stores are.  [env: HEADRACE_STATE_DIR; default: .headrace/state]",
)
@bootstrap_option
@web_options
@click.option("--announce-in", "home", type=click.Path(path_type=Path), hidden=True)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@click.option("--security-protocol", hidden=True)
@click.option("--sasl-mechanism", hidden=True)
@log_format_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def worker(
    application: str,
    processes: int,
    state_dir: Path | None,
    bootstrap_servers: str | None,
    web: bool,
    web_port: int | None,
    home: Path | None,
    until_stdin_closes: bool,
    security_protocol: str | None,
    sasl_mechanism: str | None,
    verbose: bool,
) -> None:
    """Run the application MODULE:APP until Ctrl-C or SIGTERM.

    Workers of the same application share its partitions, whether they are PROCESSES of one command or commands on
    several machines. A stopping worker commits and hands its tasks over; a process that fails is started again.

    \b
    headrace worker app.py:app
    headrace worker shop.orders:app --processes 4 --bootstrap-servers kafka-1:9092,kafka-2:9092
    """
    from streams.cli.clients import require_broker
    from streams.cli.logs import log_to_stderr
    from streams.discovery import BrokerLocation, locate_broker

    log_to_stderr(verbose=verbose)
    app = load_app(application)
    location = locate_broker(bootstrap_servers or app.settings.bootstrap_servers)
    if security_protocol is not None:
        location = BrokerLocation.bundled(location.bootstrap_servers, security_protocol, sasl_mechanism)
    app.plan()  # says what is wrong with the topology before anything is started
    if not until_stdin_closes:  # a supervised process waits a little: brokers restart, too
        require_broker(location)
    where = state_dir or app.settings.state_dir
    announcements = Home(home) if home is not None else Home.nearest()
    if processes == 1:
        code = _run_here(app, location, where, announcements, until_stdin_closes, web, web_port)
    else:
        code = _run_processes(application, location, where, announcements, processes, web, web_port)
    raise click.exceptions.Exit(code)


def _run_here(
    app: App,
    location: BrokerLocation,
    state_dir: Path,
    home: Home,
    until_stdin_closes: bool,
    web: bool,
    web_port: int | None,
) -> int:
    """Exit code: 130 after Ctrl-C, 0 after any other way of being told to stop."""
    from streams.cli.running import worker_here
    from streams.cli.worker_process import call_when_stdin_closes

    # Where workers share a port, whoever started them says so once.
    tells = not until_stdin_closes or web_port is None
    with worker_here(app, location, state_dir, home, web=web, web_port=web_port, tells_dashboard=tells) as (
        running,
        stop,
    ):
        if until_stdin_closes:
            call_when_stdin_closes(running.stop)
        else:
            talk(f"{app.settings.application_id} on {location.bootstrap_servers} ({location.describe()}); Ctrl-C ends")
        running.run()
    return stop.exit_code


def _run_processes(
    application: str,
    location: BrokerLocation,
    state_dir: Path,
    home: Home,
    processes: int,
    web: bool,
    web_port: int | None,
) -> int:
    from streams.cli.stopping import passed_on, stop_signals
    from streams.cli.supervisor import AT_ONCE, Supervisor
    from streams.cli.worker_process import WorkerCommand, WorkerProcess

    command = WorkerCommand(
        application=application,
        bootstrap_servers=location.bootstrap_servers,
        state_dir=state_dir,
        home=home.path,
        security_protocol=location.security_protocol,
        sasl_mechanism=location.sasl_mechanism,
        web=web,
        web_port=web_port,
    )

    with stop_signals(at_once=AT_ONCE) as stop:
        talk(f"{processes} processes on {location.bootstrap_servers} ({location.describe()}); Ctrl-C ends")
        if web_port is not None:
            talk(f"dashboard on port {web_port}, at /ui/")
        supervisor = Supervisor(processes, lambda: WorkerProcess(command))
        with passed_on(signal.SIGUSR1, lambda: [process.pid for process in supervisor.running]):
            supervisor.run(stop.wait)
    return stop.exit_code or (INTERRUPTED if stop.signal is None else 0)
