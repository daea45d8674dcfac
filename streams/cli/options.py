"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from streams.cli.logs import LOG_FORMAT, log_to_stderr

Command = TypeVar("Command", bound=Callable[..., Any])


def bootstrap_option(command: Command) -> Command:
    """`--bootstrap-servers`; the environment variable is read by the discovery, which also names it in messages."""
    return click.option(
        "-b",
        "--bootstrap-servers",
        metavar="HOST:PORT",
        help="The log's address.  [env: HEADRACE_BOOTSTRAP_SERVERS]",
    )(command)


def log_format_option(command: Command) -> Command:
    """`--log-format`; holds for the processes that the command starts, too."""

    def choose(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value is None or context.resilient_parsing:
            return
        os.environ[LOG_FORMAT] = value
        if value == "json":
            log_to_stderr()

    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        envvar=LOG_FORMAT,
        show_envvar=True,
        expose_value=False,
        callback=choose,
        help="What stderr gets: lines for people, or one JSON object a line.",
    )(command)


def home_option(command: Command) -> Command:
    """`--dir`: a directory of `headrace dev` or `headrace demo`, whose broker is used, or run for this command."""
    return click.option(
        "--dir",
        "home",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="A directory of `headrace dev` or `headrace demo`: use its broker, or run it for this command.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: one JSON object a line, for machines."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")(command)
