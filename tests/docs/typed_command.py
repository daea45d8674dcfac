"""A command as a page writes it, read by our command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from streams.cli import main


def parsed(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The command's name and its parameters. `words`: those behind `headrace`.

    Raises:
        AssertionError: there is no such command.
        click.UsageError: it has no such option, or not that many arguments.
    """
    command: click.Command = main
    name, rest = "headrace", list(words)
    while isinstance(command, click.Group) and not (
        command.invoke_without_command and (not rest or rest[0].startswith("-"))
    ):
        below = command.get_command(click.Context(command), rest[0])
        assert below is not None, f"no command {rest[0]!r}"
        name, command, rest = rest[0], below, rest[1:]
    return name, command.make_context(name, rest, resilient_parsing=True).params
