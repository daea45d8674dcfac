"""The `headrace` command group."""

from __future__ import annotations

from importlib import import_module

import click

from streams.cli.failures import ReportingGroup

EPILOG = """\b
Start here:
  headrace demo                      flights through a topology, on real data
  headrace new orders                a project of your own, with a test
  headrace dev app.py:app            a broker and your application in one terminal
  headrace produce words "hello"     a record onto a topic
  headrace consume words             what is on it
"""


COMMANDS = frozenset(
    (
        *("new", "dev", "run", "worker", "broker", "demo"),
        *("topology", "query", "topics", "groups", "acls", "produce", "consume", "configs", "txns", "reset"),
        "dead-letters",
        *("doctor", "config", "completion", "bench"),
    )
)
"""Each is a function of its name, with underscores, in a module of that name."""


class Commands(ReportingGroup):
    """Imports a command when it is named: all of them take longer than most have to do."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        return getattr(import_module(f"streams.cli.{name}"), name)


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace", prog_name="headrace")
def main() -> None:
    """Kafka Streams for Python with the broker in the box.

    Commands write data to stdout and talk to stderr. They exit with 0 when done, 1 on failure, 2 on wrong usage and
    130 on Ctrl-C. They find the broker through --bootstrap-servers, else HEADRACE_BOOTSTRAP_SERVERS, else a running
    `headrace dev` or `headrace broker` in this directory or one above it, else 127.0.0.1:9092.
    """
