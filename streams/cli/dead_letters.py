"""`headrace dead-letters`: records that could not be processed, what went wrong, and another try."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup
from streams.cli.moment import milliseconds
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.record_text import iso_time, text_or_hex
from streams.cli.terminal import print_table, talk

if TYPE_CHECKING:
    from streams.cli.letter import Letter, LetterFilter
    from streams.discovery import BrokerLocation

Command = TypeVar("Command", bound=Callable[..., Any])
LONGEST_CELL = 60


@click.group(cls=SuggestingGroup, short_help="Look at records that could not be processed; send them again.")
def dead_letters() -> None:
    """Look at the dead letters of an application, the records that it could not process, and send them again.

    \b
    headrace dead-letters list orders-dead
    headrace dead-letters resubmit orders-dead --exception UnknownCustomer
    """


def filter_options(command: Command) -> Command:
    """Which letters are meant."""
    options = (
        click.option("--source", metavar="TOPIC", help="Records that were read from there."),
        click.option("--exception", metavar="CLASS", help="With or without its module."),
        click.option("--message", metavar="TEXT", help="A part of the exception's message."),
        click.option("--key", help="The record's key, as it is listed."),
        click.option("--since", metavar="TIME", help="Of the records: ISO 8601 or milliseconds."),
        click.option("--until", metavar="TIME", help="Before that."),
        click.option("--at", "places", metavar="PARTITION:OFFSET", multiple=True, help="The letter there; repeatable."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dead_letters.command("list")
@click.argument("topic")
@filter_options
@click.option("--max", "limit", type=click.IntRange(min=1), help="End after N letters.")
@json_option
@bootstrap_option
@home_option
def list_letters(
    topic: str, limit: int | None, as_json: bool, bootstrap_servers: str | None, home: Path | None, **chosen: Any
) -> None:
    """The dead letters on TOPIC: where each lies, the record's time, place and key, and what went wrong.

    \b
    headrace dead-letters list orders-dead --source orders --since 2026-01-01
    """
    wanted = _filter(**chosen)
    with broker_for_command(bootstrap_servers, home) as location:
        found = _letters(location, topic, wanted, limit)
    if as_json:
        for letter in found:
            click.echo(letter.as_json())
        return
    columns = ("AT", "TIME", "SOURCE", "KEY", "EXCEPTION", "MESSAGE")
    print_table(columns, [_row(letter) for letter in found])


@dead_letters.command("show")
@click.argument("topic")
@click.argument("at", metavar="PARTITION:OFFSET")
@bootstrap_option
@home_option
def show(topic: str, at: str, bootstrap_servers: str | None, home: Path | None) -> None:
    """One dead letter in full: the record's headers and value, and the stack trace.

    \b
    headrace dead-letters show orders-dead 0:17
    """
    wanted = _filter(places=(at,))
    with broker_for_command(bootstrap_servers, home) as location:
        found = _letters(location, topic, wanted, 1)
    if not found:
        raise CommandFailed(f"{topic} has no dead letter at {at}")
    letter = found[0]
    for name, value in (
        ("source", letter.origin),
        ("time", iso_time(letter.timestamp)),
        ("key", "null" if letter.key is None else text_or_hex(letter.key)),
        *((f"header {name}", "null" if value is None else text_or_hex(value)) for name, value in letter.headers),
        ("value", "null" if letter.value is None else text_or_hex(letter.value)),
        ("exception", f"{letter.exception}: {letter.message}"),
    ):
        click.echo(f"{name}: {value}")
    click.echo(f"\n{letter.stacktrace.rstrip()}")


@dead_letters.command("resubmit")
@click.argument("topic")
@filter_options
@click.option("--to", "target", metavar="TOPIC", help="Not where they came from; by key then.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@bootstrap_option
@home_option
def resubmit(
    topic: str,
    target: str | None,
    dry_run: bool,
    bootstrap_servers: str | None,
    home: Path | None,
    **chosen: Any,
) -> None:
    """Send the records of the dead letters on TOPIC again, as they were, to the topics and partitions they came from.

    The letters stay; who sends them twice, has the records processed twice.

    \b
    headrace dead-letters resubmit orders-dead --exception UnknownCustomer
    headrace dead-letters resubmit orders-dead --at 0:17 --at 0:18 --dry-run
    """
    from streams.cli.clients import producer
    from streams.cli.record_output import send_records

    wanted = _filter(**chosen)
    with broker_for_command(bootstrap_servers, home) as location:
        letters = _letters(location, topic, wanted, None)
        lost = [letter for letter in letters if letter.source is None]
        if lost and target is None:
            raise CommandFailed(
                f"{len(lost)} records on {topic} do not say where they came from, the first at "
                f"{lost[0].partition}:{lost[0].offset}: they are no dead letters, or say where to with --to"
            )
        client = None if dry_run else producer(location)
        for goal, group in _by_goal(letters, target):
            if client is not None:
                send_records(client, goal, [letter.again(partition=target is None) for letter in group])
            talk(f"{len(group)} record{'' if len(group) == 1 else 's'} {'would go' if dry_run else 'sent'} to {goal}")
        if not letters:
            talk(f"no dead letter on {topic} fits")


def _filter(
    *,
    source: str | None = None,
    exception: str | None = None,
    message: str | None = None,
    key: str | None = None,
    since: str | None = None,
    until: str | None = None,
    places: Iterable[str] = (),
) -> LetterFilter:
    from streams.cli.letter import LetterFilter, place

    return LetterFilter(
        source=source,
        exception=exception,
        message=message,
        key=key,
        since=None if since is None else milliseconds(since),
        until=None if until is None else milliseconds(until),
        places=frozenset(map(place, places)),
    )


def _letters(location: BrokerLocation, topic: str, wanted: LetterFilter, limit: int | None) -> list[Letter]:
    """Those that are there now and committed, in the order of their places."""
    from streams.cli.clients import consumer, offset_ranges, partition_ids
    from streams.cli.letter import Letter
    from streams.cli.topic_records import records_of_topic

    client = consumer(location, **{"isolation.level": "read_committed"})
    found: list[Letter] = []
    try:
        ranges = offset_ranges(client, topic, partition_ids(client, topic))
        starts = {partition: low for partition, (low, _) in ranges.items()}
        ends = {partition: high for partition, (_, high) in ranges.items()}
        for record in records_of_topic(client, topic, starts, ends):
            letter = Letter.of(record)
            if wanted(letter):
                found.append(letter)
                if len(found) == limit:
                    break
    finally:
        client.close()
    return sorted(found, key=lambda letter: (letter.partition, letter.offset))


def _by_goal(letters: Iterable[Letter], target: str | None) -> list[tuple[str, list[Letter]]]:
    """The letters by the topic they go to, those of a partition in the order in which they were read there."""

    def goal(letter: Letter) -> str:
        return target or letter.source or ""

    ordered = sorted(letters, key=lambda letter: (goal(letter), letter.source_partition, letter.source_offset))
    return [(name, list(group)) for name, group in groupby(ordered, goal)]


def _row(letter: Letter) -> tuple[str, ...]:
    key = "null" if letter.key is None else text_or_hex(letter.key)
    message = " ".join(letter.message.split())
    if len(message) > LONGEST_CELL:
        message = message[: LONGEST_CELL - 1] + "…"
    at = f"{letter.partition}:{letter.offset}"
    return at, iso_time(letter.timestamp), letter.origin, key, letter.exception, message
