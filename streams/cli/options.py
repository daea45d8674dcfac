"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def bootstrap_option(command: Command) -> Command:
    """`--bootstrap-servers`; the environment variable is read by the discovery, which also names it in messages."""
    return click.option(
        "-b",
        "--bootstrap-servers",
        metavar="HOST:PORT",
        help="The log's address.  [env: HEADRACE_BOOTSTRAP_SERVERS]",
    )(command)


def home_option(command: Command) -> Command:
    """`--dir`: a directory of `headrace dev` or `headrace demo`, whose broker is used, or run for this command."""
    return click.option(
        "--dir",
        "home",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="A directory of `headrace dev` or `headrace demo`: its broker is used; if it is not running, it is "
        "started for the length of this command.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: one JSON object a line, for machines."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")(command)
