"""`headrace consume`: what is on a topic, and what comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.record_text import KEY_TYPES, VALUE_TYPES, KeyType, RecordFormat, ValueType, record_json, record_line
from streams.cli.terminal import on_terminal, talk

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

BATCH = 500
POLL_S = 0.2


@click.command()
@click.argument("topic")
@click.option(
    "--from",
    "start",
    type=click.Choice(["beginning", "end"]),
    default="beginning",
    show_default=True,
    help="Which records: all, or only those that come from now on.",
)
@click.option("--last", type=click.IntRange(min=1), help="Begin with the newest N records of each partition.")
@click.option("--max", "limit", type=click.IntRange(min=1), help="End after N records.")
@click.option("--until-end", is_flag=True, help="End after the records that are there now.")
@click.option("--key-type", type=click.Choice(KEY_TYPES), default="str", show_default=True)
@click.option("--value-type", type=click.Choice(VALUE_TYPES), default="str", show_default=True)
@json_option
@bootstrap_option
@home_option
def consume(
    topic: str,
    start: str,
    last: int | None,
    limit: int | None,
    until_end: bool,
    key_type: KeyType,
    value_type: ValueType,
    as_json: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Print the records of TOPIC: time, key, value. Goes on until Ctrl-C unless told otherwise.

    \b
    headrace consume sentences --until-end
    headrace consume counts --value-type int
    headrace consume delays --key-type windowed --last 5
    """
    from streams.cli.clients import consumer, offset_ranges, partition_ids

    form = RecordFormat(key=key_type, value=value_type)
    with broker_for_command(bootstrap_servers, home) as location:
        client = consumer(location, **{"isolation.level": "read_committed"})
        try:
            partitions = partition_ids(client, topic)
            ranges = offset_ranges(client, topic, partitions)
            starts = {p: _first_offset(start, last, low, high) for p, (low, high) in ranges.items()}
            ends = {p: high for p, (_, high) in ranges.items()} if until_end else None
            printed = _print(_records(client, topic, starts, ends), limit, form, as_json)
        finally:
            client.close()
    if on_terminal():
        talk(f"{printed} record{'' if printed == 1 else 's'}")


def _first_offset(start: str, last: int | None, low: int, high: int) -> int:
    if last is not None:
        return max(low, high - last)
    return low if start == "beginning" else high


def _records(client: Consumer, topic: str, starts: dict[int, int], ends: dict[int, int] | None) -> Iterator[Message]:
    """The records from `starts` on; up to `ends` if given, else for ever.

    A partition's end is known by its position or by end-of-partition, not by a record with the last offset: the log
    may end in transaction markers, and compaction removes records.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicPartition

    open_partitions = {p for p in starts if ends is None or starts[p] < ends[p]}
    client.assign([TopicPartition(topic, p, starts[p]) for p in sorted(open_partitions)])
    while open_partitions:
        for message in client.consume(BATCH, POLL_S):
            error = message.error()
            partition = message.partition()
            assert partition is not None
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # pyright: ignore[reportPrivateUsage]
                    if ends is not None:
                        open_partitions.discard(partition)
                    continue
                raise KafkaException(error)
            offset = message.offset()
            assert offset is not None
            if ends is not None:
                if offset >= ends[partition] - 1:
                    open_partitions.discard(partition)
                if offset >= ends[partition]:
                    continue
            yield message


def _print(records: Iterator[Message], limit: int | None, form: RecordFormat, as_json: bool) -> int:
    colour = on_terminal()
    printed = 0
    for record in records:
        line = record_json(record, form) if as_json else record_line(record, form, colour=colour)
        click.echo(line)
        printed += 1
        if printed == limit:
            break
    sys.stdout.flush()
    return printed
