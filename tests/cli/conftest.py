"""A broker for the commands' tests, and the commands themselves run in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker import Broker
from streams.cli import main
from tests.cli.command_directory import CommandDirectory, command_directory

Headrace = Callable[..., Result]
A_SECOND_APART = "".join(
    f'{{"value": {second}, "timestamp": {978_307_200_000 + second * 1_000}}}\n' for second in range(4)
)
"""Records for `produce --json`: the values 0 to 3, from the beginning of 2001 on. In one go, as an idempotent client of
librdkafka takes half a second to begin."""


@pytest.fixture(scope="session")
def running_broker() -> Iterator[Broker]:
    with Broker(default_partitions=2) as broker:
        yield broker


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with nothing in the environment that points to a broker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADRACE_BOOTSTRAP_SERVERS", raising=False)
    return tmp_path


@pytest.fixture
def headrace(project: Path) -> Headrace:
    """Runs the command with these words in `project`: `.exit_code`, `.stdout`, `.stderr`."""

    def run(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, list(words), input=stdin, prog_name="headrace")

    return run


@pytest.fixture
def on_broker(headrace: Headrace, running_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Headrace:
    """The command where the environment names a running broker."""
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", running_broker.bootstrap_servers)
    return headrace


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return request.node.name.replace("[", "-").replace("]", "")[:120]


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[CommandDirectory]:
    """An empty directory in which `headrace` runs in processes of its own."""
    with command_directory(tmp_path) as commands:
        yield commands
