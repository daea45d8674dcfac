"""The broker a command talks to: found, or run for the length of the command."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from streams.cli.failures import UsageFailed
from streams.cli.home import Home
from streams.discovery import BrokerLocation, locate_broker


@contextmanager
def broker_for_command(bootstrap_servers: str | None, home_path: Path | None) -> Generator[BrokerLocation]:
    """The broker at `bootstrap_servers`, of the home at `home_path`, or by discovery.

    A home whose broker is not running has it started here and stopped at the end of the block, so that what
    `headrace demo` left behind can be looked at without leaving a broker behind.

    Raises:
        UsageFailed: both are given, or the home holds no log.
    """
    if home_path is None:
        yield locate_broker(bootstrap_servers)
        return
    if bootstrap_servers:
        raise UsageFailed("give --bootstrap-servers or --dir, not both")
    home = Home(home_path)
    running = home.running_broker()
    if running is not None:
        yield running
        return
    if not home.broker_dir.is_dir():
        raise UsageFailed(f"{home_path} holds no log ({home.broker_dir} does not exist)")
    from broker import Broker

    with Broker(data=home.broker_dir) as broker, home.announce_broker(broker.bootstrap_servers, home.broker_dir):
        yield BrokerLocation.bundled(broker.bootstrap_servers)
