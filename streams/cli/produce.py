"""`headrace produce`: lines or arguments become records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import UsageFailed
from streams.cli.moment import record_time
from streams.cli.options import bootstrap_option, home_option
from streams.cli.record_input import LineFormat, header, key_bytes, lines_of, records_of
from streams.cli.terminal import talk
from streams.cluster.new_record import NewRecord
from streams.cluster.sending import send_records
from streams.cluster.topic_names import ASKS_ONLY, near_topic, topic_exists, topic_names


@click.command()
@click.argument("topic")
@click.argument("values", metavar="[VALUE]...", nargs=-1)
@click.option("-f", "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Lines, not stdin's.")
@click.option("-k", "--key", help="The key of every record.")
@click.option("-K", "--key-separator", metavar="SEP", help="Lines are KEY SEP VALUE.")
@click.option("--key-type", type=click.Choice(["str", "int"]), default="str", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Lines are records as `headrace consume --json` prints them.")
@click.option("--timestamp", metavar="TIME", help="Milliseconds since the epoch or ISO 8601; default: now.")
@click.option("-H", "--header", "headers", metavar="NAME=VALUE", multiple=True, help="Repeatable.")
@click.option("-p", "--partition", type=click.IntRange(min=0), help="Default: Kafka's murmur2 of the key.")
@click.option("--tombstone", is_flag=True, help="A null value for --key: deletes it from a table.")
@click.option("--null", metavar="TEXT", help="A value that stands for null.")
@bootstrap_option
@home_option
def produce(
    topic: str,
    values: tuple[str, ...],
    file: Path | None,
    key: str | None,
    key_separator: str | None,
    key_type: str,
    as_json: bool,
    timestamp: str | None,
    headers: tuple[str, ...],
    partition: int | None,
    tombstone: bool,
    null: str | None,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Write VALUEs, or the lines of stdin or a file, to TOPIC. Values pass through as they are, JSON included.

    \b
    headrace produce flights '{"origin": "SEA", "delay": 12}' --key SEA
    headrace produce airports -K ':' --file airports.txt
    headrace consume words --json --until-end | headrace produce copy --json
    """
    if key is not None and key_separator is not None:
        raise UsageFailed("give --key or --key-separator, not both")
    if values and file is not None:
        raise UsageFailed("give VALUEs or --file, not both")
    if as_json and (key_separator is not None or null is not None):
        raise UsageFailed("--json says what is key and what is null: --key-separator and --null say nothing with it")
    if tombstone and (values or file is not None or key is None):
        raise UsageFailed("--tombstone needs --key and takes no VALUE")
    form = LineFormat(
        key_type=key_type,
        key=key,
        separator=key_separator,
        null=null,
        timestamp=None if timestamp is None else record_time(timestamp),
        headers=tuple(header(text) for text in headers),
        partition=partition,
    )
    records: Iterable[NewRecord]
    if tombstone:
        deleted = NewRecord(
            key=key_bytes(key, key_type),
            value=None,
            timestamp=form.timestamp,
            headers=form.headers,
            partition=partition,
        )
        records = [deleted]
    else:
        records = records_of(values or lines_of(file), form, as_json=as_json)
    from streams.cli.clients import producer

    with broker_for_command(bootstrap_servers, home) as location:
        client = producer(location, **ASKS_ONLY)
        if not topic_exists(client, topic):
            near = near_topic(topic, topic_names(client))
            talk(f"there is no topic {topic} yet{'' if near is None else f'; did you mean {near}?'}")
            client = producer(location)  # which lets the broker make it
        sent = send_records(client, topic, records)
    talk(f"{sent} record{'' if sent == 1 else 's'} to {topic}")
