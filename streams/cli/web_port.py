"""The dashboard's address, for commands that start workers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from streams.cli.failures import CommandFailed

Command = TypeVar("Command", bound=Callable[..., Any])

USUAL_PORT = 8642
"""Where `headrace dev` has it unless somebody else listens there, so that an open page finds it again."""


def web_options(command: Command) -> Command:
    """`--web` and `--web-port`."""
    port = click.option(
        "--web-port",
        type=click.IntRange(1, 65535),
        help="Serve it on this port, which the workers of a host share.  [default: that of queries]",
    )
    web = click.option("--web", is_flag=True, help="Serve the dashboard, at /ui/ of where queries are served.")
    return web(port(command))


def url(host: str, port: int, *, tls: bool) -> str:
    """What people open."""
    named = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{named}:{port}/ui/"


@contextmanager
def shared_port(host: str, wanted: int | None) -> Generator[int]:
    """A port that is kept for the workers of this command while the block runs, however they come and go.

    The usual one, or if somebody has that a free one. Raises CommandFailed: `wanted` is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    port = wanted or USUAL_PORT
    if is_taken(family, host, port):
        if wanted is not None:
            raise CommandFailed(f"port {wanted} on {host} is taken: choose another --web-port, or leave it out")
        port = 0
    with socket.socket(family, socket.SOCK_STREAM) as keeper:  # does not listen, so connections go to the workers
        if hasattr(socket, "SO_REUSEPORT"):
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            keeper.bind((host, port))
        except OSError as error:
            raise CommandFailed(f"the dashboard cannot listen on {host}:{port} ({error}): try --no-web") from error
        yield keeper.getsockname()[1]


def is_taken(family: socket.AddressFamily, host: str, port: int) -> bool:
    """Whether somebody listens there, who may share the port with others as our workers do."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are over do not count
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
