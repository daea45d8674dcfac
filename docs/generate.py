"""Writes the reference pages that are made from the code: `make docs`.

python docs/generate.py           writes them
python docs/generate.py --check   exits with 1 if a page is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from streams.cli import main

DOCS = Path(__file__).parent
WIDTH = 100


def command_line() -> str:
    """`--help` of every command, in the order of `headrace --help`."""
    parts = ["# Command line\n\nMade from the commands themselves by `make docs`.\n"]
    for path, command in walk("headrace", main):
        context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
        parts.append(f"{'#' * (path.count(' ') + 2)} {path}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def walk(path: str, command: click.Command) -> list[tuple[str, click.Command]]:
    """The command and all below it, with the words that call them."""
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            found += walk(f"{path} {name}", command.commands[name])
    return found


PAGES = {DOCS / "reference" / "command-line.md": command_line}

if __name__ == "__main__":
    stale = [page for page, make in PAGES.items() if not page.exists() or page.read_text() != make()]
    if "--check" in sys.argv:
        sys.exit(f"not up to date, run make docs: {', '.join(map(str, stale))}" if stale else 0)
    for page in stale:
        page.parent.mkdir(exist_ok=True)
        page.write_text(PAGES[page]())
