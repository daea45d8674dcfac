"""What every command's `--help` has to be: short, and with an example."""

from __future__ import annotations

import click
import pytest

from streams.cli import main
from tests.cli.conftest import Headrace

SCREEN_LINES = 40
WIDTH = 80


def commands(path: str, command: click.Command) -> list[tuple[str, click.Command]]:
    found = [] if path == "headrace" else [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += commands(f"{path} {name}", below)
    return found


@pytest.mark.parametrize(("path", "command"), commands("headrace", main), ids=lambda value: str(value))
def test_help_fits_a_screen_and_has_an_example(path: str, command: click.Command) -> None:
    context = click.Context(command, info_name=path, terminal_width=WIDTH)
    lines = command.get_help(context).splitlines()
    assert len(lines) <= SCREEN_LINES
    assert any((line.strip() + " ").startswith(path + " ") for line in lines), "no example"


def test_help_of_all_names_each_command_in_one_line(headrace: Headrace) -> None:
    """Nothing is cut off."""
    listed = headrace("--help").stdout.split("Commands:")[1].split("Start here")[0]
    assert "..." not in listed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(headrace: Headrace, shell: str) -> None:
    done = headrace("completion", shell)
    assert done.exit_code == 0
    assert "_HEADRACE_COMPLETE" in done.stdout
