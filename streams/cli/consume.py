"""`headrace consume`: what is on a topic, and what comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, UsageFailed
from streams.cli.moment import milliseconds
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.record_text import (
    FIELDS,
    KEY_TYPES,
    VALUE_TYPES,
    KeyType,
    RecordFormat,
    ValueType,
    record_json,
    record_line,
    record_template,
)
from streams.cli.terminal import on_terminal, talk
from streams.cluster.beginning import Beginning, first_offsets
from streams.cluster.records import records_of_topic

if TYPE_CHECKING:
    from confluent_kafka import Message


@click.command()
@click.argument("topic")
@click.option(
    "--from",
    "start",
    metavar="WHERE",
    default="beginning",
    show_default=True,
    help="beginning, end (only what comes from now on), or a time: ISO 8601 or milliseconds.",
)
@click.option("--last", type=click.IntRange(min=1), help="Begin with the newest N records of each partition.")
@click.option("--offset", type=click.IntRange(min=0), help="Begin there in each partition.")
@click.option("-p", "--partition", "only", type=click.IntRange(min=0), multiple=True, help="Repeatable; default: all.")
@click.option("--max", "limit", type=click.IntRange(min=1), help="End after N records.")
@click.option("--until-end", is_flag=True, help="End after the records that are there now.")
@click.option("--uncommitted", is_flag=True, help="Also what transactions have not committed.")
@click.option("--key-type", type=click.Choice(KEY_TYPES), default="str", show_default=True)
@click.option("--value-type", type=click.Choice(VALUE_TYPES), default="str", show_default=True)
@click.option("--headers", is_flag=True, help="Show them, before the value.")
@click.option("--format", "template", metavar="TEXT", help="A line of your own: {key}, {offset}, … in it.")
@json_option
@bootstrap_option
@home_option
def consume(
    topic: str,
    start: str,
    last: int | None,
    offset: int | None,
    only: tuple[int, ...],
    limit: int | None,
    until_end: bool,
    uncommitted: bool,
    key_type: KeyType,
    value_type: ValueType,
    headers: bool,
    template: str | None,
    as_json: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Print the records of TOPIC: time, key, value. Goes on until Ctrl-C unless told otherwise.

    \b
    headrace consume counts --value-type int --until-end
    headrace consume delays --key-type windowed --last 5
    headrace consume words --from 2026-01-01 --format '{offset} {headers} {value}'
    """
    from streams.cli.clients import consumer
    from streams.cluster.partitions import offset_ranges, partition_ids

    begin = _beginning(start, last, offset)
    form = RecordFormat(key=key_type, value=value_type, headers=headers)
    line = _line(form, template, as_json)
    isolation = "read_uncommitted" if uncommitted else "read_committed"
    with broker_for_command(bootstrap_servers, home) as location:
        client = consumer(location, **{"isolation.level": isolation})
        try:
            partitions = _chosen(topic, partition_ids(client, topic), only)
            ranges = offset_ranges(client, topic, partitions)
            starts = first_offsets(client, topic, ranges, begin)
            ends = {p: high for p, (_, high) in ranges.items()} if until_end else None
            printed = _print(records_of_topic(client, topic, starts, ends), limit, line)
        finally:
            client.close()
    if on_terminal():
        talk(f"{printed} record{'' if printed == 1 else 's'}")


def _beginning(start: str, last: int | None, offset: int | None) -> Beginning:
    """Raises UsageFailed for several beginnings, and a time that is none."""
    if (last is not None) + (offset is not None) + (start != "beginning") > 1:
        raise UsageFailed("give one of --from, --last and --offset")
    if last is not None:
        return Beginning("last", last)
    if offset is not None:
        return Beginning("offset", offset)
    if start in ("beginning", "end"):
        return Beginning(start)
    return Beginning("time", milliseconds(start))


def _chosen(topic: str, partitions: list[int], only: tuple[int, ...]) -> list[int]:
    for partition in only:
        if partition not in partitions:
            raise CommandFailed(f"topic {topic!r} has no partition {partition}, it has {len(partitions)}")
    return sorted(set(only)) if only else partitions


def _line(form: RecordFormat, template: str | None, as_json: bool) -> Callable[[Message], str]:
    """How a record becomes a line. Raises UsageFailed."""
    if template is None:
        colour = on_terminal()
        return lambda record: record_json(record, form) if as_json else record_line(record, form, colour=colour)
    if as_json:
        raise UsageFailed("give --format or --json, not both")
    try:
        template.format_map(dict.fromkeys(FIELDS, ""))
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        fields = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise UsageFailed(f"--format {template!r}: {error}; there are {fields}") from None
    return lambda record: record_template(record, form, template)


def _print(records: Iterator[Message], limit: int | None, line: Callable[[Message], str]) -> int:
    printed = 0
    for record in records:
        click.echo(line(record))
        printed += 1
        if printed == limit:
            break
    sys.stdout.flush()
    return printed
