"""The `headrace` command group."""

from __future__ import annotations

import click

from streams.cli.acls import acls
from streams.cli.bench import bench
from streams.cli.broker import broker
from streams.cli.completion import completion
from streams.cli.config import config
from streams.cli.configs import configs
from streams.cli.consume import consume
from streams.cli.demo import demo
from streams.cli.dev import dev
from streams.cli.doctor import doctor
from streams.cli.failures import ReportingGroup
from streams.cli.groups import groups
from streams.cli.new import new
from streams.cli.produce import produce
from streams.cli.query import query
from streams.cli.reset import reset
from streams.cli.run import run
from streams.cli.topics import topics
from streams.cli.topology import topology
from streams.cli.txns import txns
from streams.cli.worker import worker

EPILOG = """\b
Start here:
  headrace demo                      flights through a topology, on real data
  headrace new orders                a project of your own, with a test
  headrace dev app.py:app            a broker and your application in one terminal
  headrace produce words "hello"     a record onto a topic
  headrace consume words             what is on it
"""


@click.group(cls=ReportingGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace", prog_name="headrace")
def main() -> None:
    """Kafka Streams for Python with the broker in the box.

    Commands write data to stdout and talk to stderr. They exit with 0 when done, 1 on failure, 2 on wrong usage and
    130 on Ctrl-C. They find the broker through --bootstrap-servers, else HEADRACE_BOOTSTRAP_SERVERS, else a running
    `headrace dev` or `headrace broker` in this directory or one above it, else 127.0.0.1:9092.
    """


COMMANDS = (
    *(new, dev, run, worker, broker, demo),
    *(topology, query, topics, groups, acls, produce, consume, configs, txns, reset),
    *(doctor, config, completion, bench),
)

for command in COMMANDS:
    main.add_command(command)
