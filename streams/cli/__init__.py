"""The `headrace` command: one command a file, `main` gathers them."""

from streams.cli.main import main as main
