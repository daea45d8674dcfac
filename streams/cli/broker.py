"""`headrace broker`: the bundled broker by itself."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import click

from streams.cli.home import Home
from streams.cli.options import log_format_option
from streams.cli.terminal import talk
from streams.discovery import HOME_DIRECTORY


@click.command(short_help="Run the bundled broker.")
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(HOME_DIRECTORY) / "broker",
    show_default=True,
    help="Where the log is kept.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on and to advertise.")
@click.option("--port", type=click.IntRange(0, 65535), default=9092, show_default=True, help="0: a free one.")
@click.option(
    "--fsync",
    type=click.Choice(["always", "never"]),
    default="always",
    show_default=True,
    help="always: acknowledged records survive a power cut. never: they survive the death of the process.",
)
@click.option(
    "--schema-registry-port",
    type=click.IntRange(0, 65535),
    help="Serve a schema registry, with Confluent's REST API, on this port; 0: a free one.  [default: none]",
)
@log_format_option
def broker(
    data_dir: Path, host: str, port: int, fsync: Literal["always", "never"], schema_registry_port: int | None
) -> None:
    """Run the bundled broker until Ctrl-C or SIGTERM. Any Kafka client can use it.

    Prints its address to stdout once it is ready. Commands in this directory or below find it by themselves.

    \b
    headrace broker --data /var/lib/headrace --port 9092 --schema-registry-port 8081
    """
    from broker import BrokerOptions
    from broker.serving import Running
    from streams.cli.logs import log_to_stderr
    from streams.cli.stopping import stop_signals

    log_to_stderr()
    with ExitStack() as stack:

        def ready(advertised_host: str, bound_port: int) -> None:
            address = f"{advertised_host}:{bound_port}"
            protocol = running.endpoints[0].protocol
            stack.enter_context(Home.here().announce_broker(address, data_dir, protocol))
            if running.schema_registry_url is not None:
                talk(f"schema registry at {running.schema_registry_url}")
            talk(f"log in {data_dir}; Ctrl-C ends")
            click.echo(address)
            sys.stdout.flush()

        options = BrokerOptions(
            data=data_dir, host=host, port=port, fsync=fsync, schema_registry_port=schema_registry_port
        )
        running = Running(options, ready)
        stop = stack.enter_context(stop_signals(running.stop))
        running.run(signals=False)
    talk("stopped")
    raise click.exceptions.Exit(stop.exit_code)
