"""`headrace new`: a project that runs, with a test."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from string import Template

import click

from streams.cli.failures import UsageFailed
from streams.cli.terminal import talk

FILES = {
    "app.py.txt": "app.py",
    "test_app.py.txt": "test_app.py",
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "gitignore.txt": ".gitignore",
}
"""Template -> file of the project."""
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)
"""What can be the name of a project and of an application."""


@click.command(short_help="Write a project with an application and its test.")
@click.argument("path", metavar="NAME", type=click.Path(path_type=Path))
def new(path: Path) -> None:
    """Write a project into a new directory NAME: an application, its test, and what else it needs.

    \b
    headrace new orders
    cd orders && headrace dev app.py:app
    """
    name = path.resolve().name
    if NAME.fullmatch(name) is None:
        raise UsageFailed(f"{name!r} cannot be a project's name: use letters, digits, '-', '_' and '.'")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageFailed(f"{path} exists and is not an empty directory")
    path.mkdir(parents=True, exist_ok=True)
    templates = resources.files("streams.cli") / "new_project"
    for template, file in FILES.items():
        text = Template((templates / template).read_text()).substitute(name=name)
        (path / file).write_text(text)
        talk(f"wrote {path / file}")
    talk(
        f"\nNext:\n  cd {path}\n  headrace dev app.py:app\nand in another terminal there:\n"
        """  headrace produce orders '{"customer": "ann", "amount": 12.5}'\n"""
        "  headrace query totals ann\n  pytest"
    )
