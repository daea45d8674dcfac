"""`headrace broker`: the bundled broker by itself."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.broker_settings import BrokerCommand, resolved
from streams.cli.home import Home
from streams.cli.options import json_option, log_format_option
from streams.cli.terminal import print_table, talk
from streams.cli.verify import verify

if TYPE_CHECKING:
    from broker.settings import Resolved


@click.group(cls=BrokerCommand, invoke_without_command=True, short_help="Run the bundled broker.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any setting, by its name or Kafka's.")
@click.option(
    "--properties",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Kafka's server.properties.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Instead of the headrace.toml here or above.",
)
@click.option("--show-settings", is_flag=True, help="Print all settings and their origins, and end.")
@json_option
@log_format_option
@click.pass_context
def broker(
    ctx: click.Context,
    assignments: tuple[str, ...],
    properties: Path | None,
    config: Path | None,
    show_settings: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run the bundled broker until Ctrl-C or SIGTERM. Any Kafka client can use it.

    Prints its address once it is ready. Commands in this directory or below find it. Every setting of --show-settings
    is an option. Options count before HEADRACE_BROKER_…, --properties and [broker] of headrace.toml.

    \b
    headrace broker --data /var/lib/headrace --port 9092 --schema-registry-port 8081
    headrace broker --properties server.properties --set log.retention.hours=24
    headrace broker --host 0.0.0.0 --tls-certificate c.pem --sasl-users-file users
    """
    if ctx.invoked_subcommand is not None:
        return
    settings = resolved(given, assignments, properties, config)
    for note in settings.notes:
        talk(note)
    if show_settings:
        print_settings(settings, as_json)
        return
    serve(settings)


def print_settings(settings: Resolved, as_json: bool) -> None:
    """Secrets are stars."""
    import msgspec

    found = settings.origins()
    for setting in found if as_json else ():
        click.echo(msgspec.json.encode({"setting": setting.name, "value": setting.value, "origin": setting.place}))
    if not as_json:
        print_table(("SETTING", "VALUE", "ORIGIN"), [(s.name, s.value or "-", s.place) for s in found])


def serve(settings: Resolved) -> None:
    """Until a signal comes."""
    from broker.messages import started, stopped
    from broker.serving import Running
    from streams.cli.logs import log_to_stderr
    from streams.cli.stopping import on_signal, stop_signals

    log_to_stderr()
    logging.getLogger("broker.requests").setLevel(logging.INFO)
    options = settings.options
    assert options.data is not None
    with ExitStack() as stack:

        def ready(host: str, port: int) -> None:
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            protocol = running.endpoints[0].protocol
            sasl = running.server.listeners[0].sasl
            mechanism = sasl.mechanisms[0] if protocol.startswith("SASL") else None
            stack.enter_context(Home.here().announce_broker(address, data_dir, protocol, mechanism))
            for line in started(running):
                talk(line)
            talk("Ctrl-C ends")
            click.echo(address)
            sys.stdout.flush()

        data_dir = options.data
        running = Running(options, ready)
        stop = stack.enter_context(stop_signals(running.stop))
        stack.enter_context(on_signal(signal.SIGUSR2, running.switch_request_log_soon))
        running.run(alone=True, signals=False)
    talk(stopped(running))
    raise click.exceptions.Exit(stop.exit_code)


broker.add_command(verify)
