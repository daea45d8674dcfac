"""`headrace dev`: a broker and an application's worker in one terminal."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.application import APP_ARGUMENT, load_app
from streams.cli.home import Home
from streams.cli.options import log_format_option
from streams.cli.terminal import talk
from streams.cli.web_port import USUAL_PORT, shared_port, url
from streams.discovery import HOME_DIRECTORY, BrokerLocation

if TYPE_CHECKING:
    from streams.cluster.admin import Admin


@click.command(short_help="Run a broker and an application together; reload on save.")
@APP_ARGUMENT
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The broker's port; default: a free one.")
@click.option("-n", "--processes", type=click.IntRange(min=1, max=64), default=1, show_default=True, help="Workers.")
@click.option(
    "--partitions",
    type=click.IntRange(min=1, max=256),
    default=1,
    show_default=True,
    help="Of source topics that do not exist yet.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(HOME_DIRECTORY),
    show_default=True,
    help="Where log and state are kept.",
)
@log_format_option
@click.option("--reload/--no-reload", default=True, show_default=True, help="Run what was saved, when it was saved.")
@click.option(
    "--schema-registry-port",
    type=click.IntRange(1, 65535),
    help="Serve a schema registry on this port too; applications that name none use it.  [default: none]",
)
@click.option("--web/--no-web", default=True, show_default=True, help="Serve the dashboard.")
@click.option(
    "--web-port",
    type=click.IntRange(1, 65535),
    help=f"The dashboard's port.  [default: {USUAL_PORT}, or a free one if that is taken]",
)
def dev(
    application: str,
    port: int,
    processes: int,
    partitions: int,
    directory: Path,
    reload: bool,
    schema_registry_port: int | None,
    web: bool,
    web_port: int | None,
) -> None:
    """Run a broker and MODULE:APP together, until Ctrl-C.

    Other commands, in this directory or below, find the broker by themselves. If one is running here already, it is
    used. Missing source topics are created. When a Python file of the project is saved (tests excepted), the workers
    are replaced and go on with their state. Log and state stay in .headrace for the next time.

    \b
    headrace dev app.py:app
    headrace produce words "to be or not to be"      (in another terminal)
    headrace consume counts
    """
    from streams.cli.clients import admin_at
    from streams.cli.reloading import Reloading, source_topics
    from streams.cli.source_watch import SourceWatch
    from streams.cli.stopping import stop_signals
    from streams.cli.supervisor import AT_ONCE, Supervisor
    from streams.cli.worker_process import WorkerCommand, WorkerProcess

    if schema_registry_port is not None:  # known to the application, and to its workers, before anything runs
        os.environ.setdefault("HEADRACE_SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{schema_registry_port}")
    app = load_app(application)
    plan = app.plan()
    home = Home(directory)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_signals(at_once=AT_ONCE))
        location = stack.enter_context(_broker(home, port, schema_registry_port))
        _create_topics(admin_at(location), plan.source_topics(), partitions)
        talk(f"{app.settings.application_id} runs; state in {home.state_dir}; Ctrl-C ends")
        settings = app.settings
        if web:
            web_port = stack.enter_context(shared_port(settings.query_host, web_port or settings.web_port))
            talk(f"dashboard at {url('localhost', web_port, tls=settings.query_tls_certificate is not None)}")
        command = WorkerCommand(
            application=application,
            bootstrap_servers=location.bootstrap_servers,
            state_dir=home.state_dir,
            home=home.path,
            web=web,
            web_port=web_port if web else None,
        )
        supervisor = Supervisor(processes, lambda: WorkerProcess(command))
        if reload:
            watch = stack.enter_context(SourceWatch(Path.cwd()))

            def loads() -> bool:
                topics = source_topics(application)
                if topics is not None:
                    _create_topics(admin_at(location), topics, partitions)
                return topics is not None

            Reloading(supervisor, watch.take, loads).run(stop.wait)
        else:
            supervisor.run(stop.wait)
    talk(f"stopped; log and state are kept in {directory}")
    raise click.exceptions.Exit(stop.exit_code)


@contextmanager
def _broker(home: Home, port: int, schema_registry_port: int | None) -> Generator[BrokerLocation]:
    """The broker that runs in this home already, or one that runs as long as the block."""
    running = home.running_broker()
    if running is not None:
        talk(f"using the broker at {running.bootstrap_servers} ({running.describe()})")
        if schema_registry_port is not None:
            talk("that broker goes on as it was started, with or without a schema registry")
        yield running
        return
    from broker import Broker, BrokerOptions

    options = BrokerOptions(data=home.broker_dir, port=port, schema_registry_port=schema_registry_port)
    with (
        Broker(options=options) as broker,
        home.announce_broker(broker.bootstrap_servers, home.broker_dir),
    ):
        if schema_registry_port is not None:
            talk(f"schema registry at {broker.schema_registry_url}")
        talk(f"broker at {broker.bootstrap_servers}, log in {home.broker_dir}")
        yield BrokerLocation.bundled(broker.bootstrap_servers)


def _create_topics(admin: Admin, topics: Sequence[str], partitions: int) -> None:
    """Creates the topics that do not exist, and says so."""
    existing = admin.partition_counts()
    missing = [topic for topic in topics if topic not in existing]
    for topic in missing:
        admin.create_topic(topic, partitions=partitions)
    if missing:
        talk(f"created {', '.join(missing)} with {partitions} partition{'' if partitions == 1 else 's'}")
