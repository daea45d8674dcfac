"""What people see: tables and colour on a terminal, tab-separated lines in a pipe."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from streams.cli.logs import logs_json


def on_terminal() -> bool:
    """Whether stdout is a person's terminal."""
    return sys.stdout.isatty()


def command_name() -> str:
    """What to type to call this command again from here: its name if the shell finds it, else its path."""
    path = Path(sys.argv[0])
    found = shutil.which("headrace")
    if path.name != "headrace" or (found is not None and Path(found).resolve() == path.resolve()):
        return "headrace"
    return os.path.relpath(path)


def talk(message: str) -> None:
    """One line to the person at the terminal: stderr, never mixed with data. A log record where logs are JSON."""
    if logs_json():
        logging.getLogger("headrace").info("%s", message)
    else:
        click.echo(message, err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Writes rows to stdout: a table on a terminal; otherwise tab-separated lines without a header.

    Args:
        right: names of the columns that hold numbers, aligned right on a terminal.
    """
    if not on_terminal():
        for row in rows:
            click.echo("\t".join(str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)
