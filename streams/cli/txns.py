"""`headrace txns`: transactional ids, their transactions, and the end of those that hang."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk
from streams.cluster.text import iso_time

if TYPE_CHECKING:
    from streams.cli.transactions import OpenTransaction


@click.group(cls=SuggestingGroup, invoke_without_command=True, short_help="List transactions, abort those that hang.")
@click.pass_context
def txns(ctx: click.Context) -> None:
    """List and describe transactions, and abort those that hang. Without a command: list.

    \b
    headrace txns
    headrace txns open --hanging
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_transactions, states=(), open_for_s=None, as_json=False, bootstrap_servers=None, home=None)


@txns.command("list")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Such as Ongoing; repeatable.")
@click.option("--open-for", "open_for_s", type=click.FloatRange(min=0), metavar="SECONDS", help="Open that long.")
@json_option
@bootstrap_option
@home_option
def list_transactions(
    states: tuple[str, ...], open_for_s: float | None, as_json: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """Transactional ids, their producers, and the state of their last transaction.

    \b
    headrace txns list --state Ongoing --open-for 60
    """
    from streams.cli.transactions import STATES, Transactions

    known = {state.lower(): state for state in STATES}
    wanted = [known.get(state.lower(), state) for state in states]
    for state in wanted:
        if state not in STATES:
            raise click.UsageError(f"there is no state {state!r}; there are {', '.join(STATES)}")
    with broker_for_command(bootstrap_servers, home) as location:
        longer_than_ms = -1 if open_for_s is None else round(open_for_s * 1000)
        found = Transactions(location).list(states=wanted, longer_than_ms=longer_than_ms)
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(each))
    else:
        rows = [(each.transactional_id, each.producer_id, each.state) for each in found]
        print_table(("TRANSACTIONAL ID", "PRODUCER", "STATE"), rows, right=("PRODUCER",))


@txns.command("describe")
@click.argument("transactional_id")
@json_option
@bootstrap_option
@home_option
def describe(transactional_id: str, as_json: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """What the coordinator knows of TRANSACTIONAL_ID: its producer, and what its open transaction includes.

    \b
    headrace txns describe flight-delays-0
    """
    from streams.cli.transactions import Transactions

    with broker_for_command(bootstrap_servers, home) as location:
        found = Transactions(location).describe(transactional_id)
    started = iso_time(found.started_ms) if found.started_ms > 0 and found.partitions else None
    if as_json:
        body = {
            "transactional_id": transactional_id,
            "state": found.state,
            "producer_id": found.producer_id,
            "epoch": found.epoch,
            "timeout_ms": found.timeout_ms,
            "started": started,
            "partitions": [{"topic": topic, "partition": partition} for topic, partition in found.partitions],
        }
        click.echo(msgspec.json.encode(body))
        return
    print_table(("TOPIC", "PARTITION"), found.partitions, right=("PARTITION",))
    talk(f"state: {found.state}, producer {found.producer_id}, epoch {found.epoch}, timeout {found.timeout_ms} ms")
    if started is not None:
        talk(f"open since {started}")


@txns.command("open")
@click.argument("topics", metavar="[TOPIC]...", nargs=-1)
@click.option("--hanging", is_flag=True, help="Only those that no coordinator knows of.")
@json_option
@bootstrap_option
@home_option
def open_transactions(
    topics: tuple[str, ...], hanging: bool, as_json: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """What is open in the partitions of the topics, or of all: read_committed consumers wait at START.

    One that belongs to no transactional id hangs, unless it has just begun or ended: ask twice before you abort it.

    \b
    headrace txns open flights --hanging
    """
    from streams.cli.transactions import Transactions

    with broker_for_command(bootstrap_servers, home) as location:
        found = [each for each in Transactions(location).open(topics) if not (hanging and each.owner)]
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(_document(each)))
        return
    now_ms = time.time() * 1000
    rows = [
        (
            each.producer.topic,
            each.producer.partition,
            each.producer.started_at,
            each.producer.producer_id,
            f"{max(0, now_ms - each.producer.last_ms) / 1000:.0f} s ago",
            each.owner or "(hangs)",
        )
        for each in found
    ]
    columns = ("TOPIC", "PARTITION", "START", "PRODUCER", "LAST WRITE", "TRANSACTIONAL ID")
    print_table(columns, rows, right=columns[1:5])


@txns.command("abort")
@click.argument("topic")
@click.argument("partition", type=click.IntRange(min=0))
@click.option("--start", type=click.IntRange(min=0), help="First offset of the transaction, if several are open.")
@click.option("-f", "--force", is_flag=True, help="Also one that its coordinator knows of.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@bootstrap_option
@home_option
def abort(
    topic: str,
    partition: int,
    start: int | None,
    force: bool,
    yes: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Abort the transaction that hangs in PARTITION of TOPIC. Its records are never read as committed.

    \b
    headrace txns abort flights 0 --start 1234
    """
    from streams.cli.transactions import Transactions

    with broker_for_command(bootstrap_servers, home) as location:
        transactions = Transactions(location)
        chosen = _choose([each for each in transactions.open([topic]) if each.producer.partition == partition], start)
        if chosen.owner is not None and not force:
            raise CommandFailed(
                f"the transaction belongs to {chosen.owner!r}, whose coordinator ends it when its time is over; "
                "--force aborts it in this partition all the same"
            )
        producer = chosen.producer
        if not yes:
            what = (
                f"the transaction of producer {producer.producer_id} in {topic} {partition} from {producer.started_at}"
            )
            click.confirm(f"Abort {what}?", abort=True, err=True)
        transactions.abort(producer)
    talk(f"aborted: {topic} {partition} from {producer.started_at}")


def _choose(found: list[OpenTransaction], start: int | None) -> OpenTransaction:
    if start is not None:
        found = [each for each in found if each.producer.started_at == start]
    if not found:
        raise CommandFailed("no such transaction is open there; `headrace txns open` shows what is")
    if len(found) > 1:
        starts = ", ".join(str(each.producer.started_at) for each in found)
        raise CommandFailed(f"{len(found)} transactions are open there: choose one with --start ({starts})")
    return found[0]


def _document(each: OpenTransaction) -> dict[str, object]:
    producer = each.producer
    return {
        "topic": producer.topic,
        "partition": producer.partition,
        "start": producer.started_at,
        "producer_id": producer.producer_id,
        "epoch": producer.epoch,
        "last_write": producer.last_ms,
        "transactional_id": each.owner,
    }
