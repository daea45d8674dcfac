"""`headrace dead-letters`: records that could not be processed, what went wrong, and another try."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup, UsageFailed
from streams.cli.moment import milliseconds
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk
from streams.cluster.text import iso_time, text_or_hex

if TYPE_CHECKING:
    from streams.cluster.letter import Letter, LetterFilter
    from streams.discovery import BrokerLocation

Command = TypeVar("Command", bound=Callable[..., Any])
LONGEST_CELL = 60


@click.group(cls=SuggestingGroup, short_help="Look at records that could not be processed; send them again.")
def dead_letters() -> None:
    """Look at the dead letters of an application, the records that it could not process, and send them again.

    \b
    headrace dead-letters list orders-dead
    headrace dead-letters resubmit orders-dead --source orders --exception UnknownCustomer
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
@click.option("--app", "application", metavar="MODULE:APP", help="Only to topics that this application reads.")
@click.option("--to", "target", metavar="TOPIC", help="Not where they came from; by key then.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@bootstrap_option
@home_option
def resubmit(
    topic: str,
    application: str | None,
    target: str | None,
    dry_run: bool,
    bootstrap_servers: str | None,
    home: Path | None,
    **chosen: Any,
) -> None:
    """Send the records of the dead letters on TOPIC again, as they were, to the topics and partitions they came from.

    The letters stay; who sends them twice, has the records processed twice. Whoever can write to TOPIC can have a
    letter name any topic, so those that may be written to are named here, with --source or --app.

    \b
    headrace dead-letters resubmit orders-dead --source orders --exception UnknownCustomer
    headrace dead-letters resubmit orders-dead --app app.py:app --at 0:17 --at 0:18 --dry-run
    """
    from streams.cli.clients import producer
    from streams.cluster.letters import by_goal, foreign_letters, foreign_text, lost_letters, lost_text
    from streams.cluster.sending import send_records

    wanted = _filter(**chosen)
    sources = _sources(application, wanted.source)
    with broker_for_command(bootstrap_servers, home) as location:
        letters = _letters(location, topic, wanted, None)
        lost = lost_letters(letters)
        if lost and target is None:
            raise CommandFailed(f"{lost_text(topic, lost)}, or say where to with --to")
        foreign = foreign_letters(letters, sources)
        if foreign and target is None:
            why = "nobody named" if application is None else "the application does not read"
            raise CommandFailed(
                f"{foreign_text(topic, foreign, why)}: name the topic that may be written to with --source, or with "
                "--app the application whose source topics may, or say where to with --to"
            )
        client = None if dry_run else producer(location)
        for goal, group in by_goal(letters, target):
            if client is not None:
                send_records(client, goal, [letter.again(partition=target is None) for letter in group])
            talk(f"{len(group)} record{'' if len(group) == 1 else 's'} {'would go' if dry_run else 'sent'} to {goal}")
        if not letters:
            talk(f"no dead letter on {topic} fits")


def _sources(application: str | None, source: str | None) -> tuple[str, ...]:
    """The topics that letters may be sent back to. Raises UsageFailed, CommandFailed."""
    if application is None:
        return () if source is None else (source,)
    from streams.cli.application import load_app

    return load_app(application).plan().source_topics()


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
    from streams.cluster.letter import LetterFilter

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
    from streams.cli.clients import consumer
    from streams.cluster.letters import READ_COMMITTED, read_letters

    client = consumer(location, **READ_COMMITTED)
    try:
        return read_letters(client, topic, wanted, limit=limit)
    finally:
        client.close()


def place(text: str) -> tuple[int, int]:
    """`0:17` as partition and offset. Raises UsageFailed."""
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise UsageFailed(f"{text!r} is no place on the topic: write PARTITION:OFFSET, as `headrace dead-letters` does")
    return int(partition), int(offset)


def _row(letter: Letter) -> tuple[str, ...]:
    key = "null" if letter.key is None else text_or_hex(letter.key)
    message = " ".join(letter.message.split())
    if len(message) > LONGEST_CELL:
        message = message[: LONGEST_CELL - 1] + "…"
    at = f"{letter.partition}:{letter.offset}"
    return at, iso_time(letter.timestamp), letter.origin, key, letter.exception, message
