"""`headrace query`: what a running application's stores hold."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, UsageFailed
from streams.cli.home import WORKER_LOG, Home
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.query_client import Answer, QueryClient, interruptible, refused
from streams.cli.query_output import Row, Watch, print_rows, print_stores
from streams.cli.supervisor import DRAIN_TIMEOUT_S
from streams.cli.terminal import on_terminal, talk
from streams.cli.worker_process import WorkerCommand, WorkerProcess

START_TIMEOUT_S = 60.0
RETRY_S = 0.2
PAGE = 1_000
TRY_LATER = 3
"""The exit code where the same command can succeed later."""

Ask = Callable[[tuple[str, ...], Mapping[str, str | None]], Answer]


class NotYet(CommandFailed):
    """The store is moving, being restored, or its worker does not answer."""

    exit_code = TRY_LATER


@click.command(short_help="Print what stores hold, row by row or as it changes.")
@click.argument("store", required=False)
@click.argument("key", required=False)
@click.option("--first", metavar="KEY", help="From this key on.")
@click.option("--last", metavar="KEY", help="Up to this key, inclusive.")
@click.option("--prefix", metavar="TEXT", help="Keys that begin with it.")
@click.option(
    "--from", "time_from", metavar="TIME", help="Windows, sessions and versions from then on: ms or ISO 8601."
)
@click.option("--to", "time_to", metavar="TIME", help="Those up to then, inclusive.")
@click.option("--as-of", metavar="TIME", help="In a versioned store, the version of then.")
@click.option("--reverse", is_flag=True, help="The last first.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="So many rows at most.")
@click.option("--position", metavar="TOPIC:PARTITION:OFFSET", help="Wait until the answer contains this record.")
@click.option("--max-lag", metavar="RECORDS", help="How many a standby that answers may lack.")
@click.option("-w", "--watch", is_flag=True, help="Go on with the changes, until Ctrl-C.")
@click.option("--endpoint", metavar="HOST:PORT", help="The worker to ask; else one that is here.")
@click.option("--token", envvar="HEADRACE_QUERY_TOKEN", show_envvar=True, help="What the workers ask for.")
@click.option("--app", "application", metavar="MODULE:APP", help="If no worker runs here, run one for this query.")
@json_option
@bootstrap_option
@home_option
def query(
    store: str | None,
    key: str | None,
    time_from: str | None,
    time_to: str | None,
    as_of: str | None,
    reverse: bool,
    limit: int,
    watch: bool,
    endpoint: str | None,
    token: str | None,
    application: str | None,
    as_json: bool,
    bootstrap_servers: str | None,
    home: Path | None,
    **words: str | None,
) -> None:
    """Print what STORE holds for KEY, or all of it, or list the stores.

    Any worker of the application answers for all of them. In a pipe, rows are JSON, one a line. Exit codes: 1 where
    there is no such row, 3 where asking again later can help.

    \b
    headrace query counts hello
    headrace query counts --prefix he
    headrace query counts --watch
    headrace query hourly hello --from 2026-01-31T12:00Z --endpoint 10.0.0.7:7070
    """
    ranges = [f"--{word}" for word, text in words.items() if text is not None and word not in ("position", "max_lag")]
    if ranges and (key is not None or watch):
        raise UsageFailed(f"{', '.join(ranges)}: for rows of many keys, without KEY and without --watch")
    words |= {"from": time_from, "to": time_to, "as_of": as_of, "reverse": "true" if reverse else None}
    place = Home(home) if home is not None else Home.nearest()
    endpoints = [endpoint] if endpoint else [worker.endpoint for worker in place.workers()]
    as_json = as_json or not on_terminal()
    if endpoints:
        _show([QueryClient(each, token) for each in endpoints], store, key, words, limit, watch=watch, as_json=as_json)
    elif application is None:
        raise CommandFailed(
            f"no worker is running in {place.path}: start one with `headrace dev` or `headrace worker`, "
            "give --endpoint, or give --app to run one for this query"
        )
    else:
        with _worker_for_query(application, bootstrap_servers, home, place) as process:
            client = _ready(process, place, token)
            _show([client], store, key, words, limit, watch=watch, as_json=as_json, patience_s=START_TIMEOUT_S)


def _show(
    clients: Sequence[QueryClient],
    store: str | None,
    key: str | None,
    words: Mapping[str, str | None],
    limit: int,
    *,
    watch: bool,
    as_json: bool,
    patience_s: float = 0.0,
) -> None:
    client, stores = _chosen(clients, store)
    if store is None:
        print_stores(stores, as_json=as_json)
        return
    deadline = time.monotonic() + patience_s

    def ask(path: tuple[str, ...], asked: Mapping[str, str | None]) -> Answer:
        while True:
            answer = client.get(path, asked)
            if not answer.retriable or time.monotonic() > deadline:
                return answer
            time.sleep(RETRY_S)

    if not watch:
        rows, more = _rows(ask, store, key, words, limit)
        print_rows(rows, as_json=as_json)
        if more:
            talk(f"there are more than {limit} rows: --limit shows more of them")
        return
    try:
        changes = client.changes(store, key)
        next(changes)  # ready: what changes from here on comes
        try:
            rows, _ = _rows(ask, store, key, words, limit)
        except CommandFailed:
            rows = []
        Watch(as_json=as_json).show(rows, _followed(interruptible(changes)))
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(refused(error)) from error
    except OSError as error:
        raise NotYet(f"no answer from the worker at {client.endpoint}: {error}") from error


def _followed(changes: Iterator[tuple[str, Any]]) -> Iterator[Row]:
    for name, data in changes:
        if name == "change":
            yield data
        elif name == "problem":
            raise NotYet(str(data["detail"]))


def _rows(ask: Ask, store: str, key: str | None, words: Mapping[str, str | None], limit: int) -> tuple[list[Row], bool]:
    """The rows, and whether there are more."""
    path = ("stores", store) if key is None else ("stores", store, key)
    rows: list[Row] = []
    cursor: str | None = None
    while True:
        paged = {"limit": str(min(PAGE, limit - len(rows))), "cursor": cursor}
        answer = ask(path, {**words, **paged})
        if answer.status != 200:
            raise _failed(answer)
        if "rows" not in answer.body:
            return [answer.body], False
        rows += answer.body["rows"]
        cursor = answer.body["next"]
        if cursor is None or len(rows) >= limit:
            return rows, cursor is not None


def _chosen(clients: Sequence[QueryClient], store: str | None) -> tuple[QueryClient, list[Row]]:
    """The first worker that knows the store, and the stores it knows. There may be workers of several applications."""
    failed: list[Answer] = []
    for client in clients:
        answer = client.get(("stores",), {})
        if answer.status == 200 and (store is None or any(each["name"] == store for each in answer.body)):
            return client, answer.body
        if answer.status == 200:
            answer = client.get(("stores", str(store)), {})  # says which there are
        failed.append(answer)
    raise _failed(min(failed, key=lambda answer: answer.rank))


def _failed(answer: Answer) -> CommandFailed:
    return (NotYet if answer.retriable else CommandFailed)(answer.problem)


def _ready(process: WorkerProcess, place: Home, token: str | None) -> QueryClient:
    """The worker that was just started, once it knows its stores."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        for worker in place.workers():
            client = QueryClient(worker.endpoint, token)
            answer = client.get(("stores",), {})
            if not answer.retriable:
                return client
        if process.exit_code() is not None:
            raise CommandFailed(f"the worker ended at once; {place.path / WORKER_LOG} says why")
        if time.monotonic() > deadline:
            raise CommandFailed("the worker did not start in time")
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
            security_protocol=location.security_protocol,
            sasl_mechanism=location.sasl_mechanism,
        )
        with (place.path / WORKER_LOG).open("ab") as log:
            process = WorkerProcess(command, talk_to=log)
            try:
                yield process
            finally:
                process.ask_to_stop()
                process.end(timeout_s=DRAIN_TIMEOUT_S)
