"""`headrace query`: what a running application's store holds for a key."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed
from streams.cli.home import WORKER_LOG, Home
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.query_client import Answer, ask
from streams.cli.supervisor import DRAIN_TIMEOUT_S
from streams.cli.terminal import on_terminal
from streams.cli.worker_process import WorkerCommand, WorkerProcess

START_TIMEOUT_S = 60.0
RETRY_S = 0.2


@click.command(short_help="Print what a store holds for a key.")
@click.argument("store")
@click.argument("key")
@click.option("--endpoint", metavar="HOST:PORT", help="The worker to ask; default: those that run here.")
@click.option("--app", "application", metavar="MODULE:APP", help="If no worker runs here, run one for this query.")
@json_option
@bootstrap_option
@home_option
def query(
    store: str,
    key: str,
    endpoint: str | None,
    application: str | None,
    as_json: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Print what STORE holds for KEY, as JSON, asking the workers that run in this directory or above.

    \b
    headrace query counts hello
    headrace query counts hello --endpoint 10.0.0.7:7070
    """
    place = Home(home) if home is not None else Home.nearest()
    endpoints = [endpoint] if endpoint else [worker.endpoint for worker in place.workers()]
    if endpoints:
        answer = _ask_all(endpoints, store, key)
    elif application is None:
        raise CommandFailed(
            f"no worker is running in {place.path}: start one with `headrace dev` or `headrace worker`, "
            "give --endpoint, or give --app to run one for this query"
        )
    else:
        with _worker_for_query(application, bootstrap_servers, home, place) as process:
            answer = _ask_until_ready(process, place, store, key)
    if answer.status != 200:
        raise CommandFailed(answer.problem)
    click.echo(_text(answer.body, as_json=as_json))


def _ask_all(endpoints: list[str], store: str, key: str) -> Answer:
    """The first good answer; else the most telling of the others: each worker knows only the keys it owns."""
    answers = [ask(endpoint, store, key) for endpoint in endpoints]
    return min(answers, key=lambda answer: answer.rank)


def _ask_until_ready(process: WorkerProcess, place: Home, store: str, key: str) -> Answer:
    """Asks the worker that was just started until it has its tasks and its state."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        endpoints = [worker.endpoint for worker in place.workers()]
        answer = _ask_all(endpoints, store, key) if endpoints else None
        if answer is not None and not answer.retriable:
            return answer
        if process.exit_code() is not None:
            raise CommandFailed(f"the worker ended at once; {place.path / WORKER_LOG} says why")
        if time.monotonic() > deadline:
            raise CommandFailed(answer.problem if answer is not None else "the worker did not start in time")
        time.sleep(RETRY_S)


@contextmanager
def _worker_for_query(
    application: str, bootstrap_servers: str | None, home_path: Path | None, place: Home
) -> Generator[WorkerProcess]:
    """A worker, and where needed a broker, for the length of the block."""
    from streams.cli.application import load_app
    from streams.cli.clients import require_broker

    app = load_app(application)
    if home_path is None and bootstrap_servers is None and app.settings.bootstrap_servers is None:
        home_path = place.path if place.broker_dir.is_dir() else None
    with broker_for_command(bootstrap_servers or app.settings.bootstrap_servers, home_path) as location:
        require_broker(location)
        command = WorkerCommand(
            application=application,
            bootstrap_servers=location.bootstrap_servers,
            state_dir=place.state_dir,
            home=place.path,
        )
        with (place.path / WORKER_LOG).open("ab") as log:
            process = WorkerProcess(command, talk_to=log)
            try:
                yield process
            finally:
                process.ask_to_stop()
                process.end(timeout_s=DRAIN_TIMEOUT_S)


def _text(body: Any, *, as_json: bool) -> str:
    encoded = msgspec.json.encode(body)
    if as_json or not on_terminal():
        return encoded.decode()
    return msgspec.json.format(encoded, indent=2).decode()
