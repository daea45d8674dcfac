"""`headrace produce`: lines or arguments become records."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, UsageFailed
from streams.cli.moment import milliseconds
from streams.cli.options import bootstrap_option, home_option
from streams.cli.terminal import talk

if TYPE_CHECKING:
    from confluent_kafka import Producer

    Record = tuple[bytes | None, bytes | None]

FLUSH_TIMEOUT_S = 30.0
NOW = 0
"""librdkafka's word for the present."""


@click.command()
@click.argument("topic")
@click.argument("values", metavar="[VALUE]...", nargs=-1)
@click.option("-k", "--key", help="The key of every record.")
@click.option("-K", "--key-separator", metavar="SEP", help="Lines are KEY SEP VALUE.")
@click.option("--key-type", type=click.Choice(["str", "int"]), default="str", show_default=True)
@click.option("--timestamp", metavar="TIME", help="Milliseconds since the epoch or ISO 8601; default: now.")
@click.option("-H", "--header", "headers", metavar="NAME=VALUE", multiple=True, help="Repeatable.")
@click.option("-p", "--partition", type=click.IntRange(min=0), help="Default: Kafka's murmur2 of the key.")
@click.option("--tombstone", is_flag=True, help="A null value for --key: deletes it from a table.")
@bootstrap_option
@home_option
def produce(
    topic: str,
    values: tuple[str, ...],
    key: str | None,
    key_separator: str | None,
    key_type: str,
    timestamp: str | None,
    headers: tuple[str, ...],
    partition: int | None,
    tombstone: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Write VALUEs, or the lines of stdin, to TOPIC. Values pass through as they are, JSON included.

    \b
    headrace produce flights '{"origin": "SEA", "delay": 12}' --key SEA
    headrace produce airports -K ':' < airports.txt
    """
    if key is not None and key_separator is not None:
        raise UsageFailed("give --key or --key-separator, not both")
    if tombstone and (values or key is None):
        raise UsageFailed("--tombstone needs --key and takes no VALUE")
    records: Iterable[Record]
    if tombstone:
        records = [(_key_bytes(key, key_type), None)]
    else:
        lines = values or _stdin_lines()
        records = _records(lines, key, key_separator, key_type)
    stamp = milliseconds(timestamp) if timestamp is not None else NOW
    pairs = [_header(header) for header in headers]
    from streams.cli.clients import producer

    with broker_for_command(bootstrap_servers, home) as location:
        client = producer(location)
        sent = _send(client, topic, records, stamp, pairs, partition)
    talk(f"{sent} record{'' if sent == 1 else 's'} to {topic}")


def _send(
    client: Producer,
    topic: str,
    records: Iterable[Record],
    timestamp: int,
    headers: Sequence[tuple[str, bytes]],
    partition: int | None,
) -> int:
    """The number of records the broker has acknowledged. Raises CommandFailed at the first that it has not."""
    from confluent_kafka import KafkaError, Message

    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    sent = 0
    for key, value in records:
        while True:
            try:
                client.produce(
                    topic,
                    value,
                    key,
                    partition=-1 if partition is None else partition,
                    on_delivery=delivered,
                    timestamp=timestamp,
                    headers=list(headers),
                )
                break
            except BufferError:
                client.poll(0.1)  # the local queue is full: let it drain
        client.poll(0)
        if failures:
            break
        sent += 1
    unsent = client.flush(FLUSH_TIMEOUT_S)
    if failures:
        raise CommandFailed(f"{topic}: {failures[0].str()}")
    if unsent:
        raise CommandFailed(f"{topic}: {unsent} records were not acknowledged within {FLUSH_TIMEOUT_S:.0f} s")
    return sent


def _records(lines: Iterable[str], key: str | None, separator: str | None, key_type: str) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        value = line
        if separator is not None:
            key, found, value = line.partition(separator)
            if not found:
                raise CommandFailed(f"line {number} has no {separator!r} between key and value: {line[:80]!r}")
        yield _key_bytes(key, key_type), value.encode()


def _stdin_lines() -> Iterator[str]:
    if sys.stdin.isatty():
        talk("one record a line; Ctrl-D ends")
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        if text:
            yield text


def _key_bytes(key: str | None, key_type: str) -> bytes | None:
    if key is None:
        return None
    if key_type == "str":
        return key.encode()
    try:
        return int(key).to_bytes(8, "big", signed=True)
    except (ValueError, OverflowError):
        raise UsageFailed(f"key {key!r} is not a 64-bit integer") from None


def _header(text: str) -> tuple[str, bytes]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise UsageFailed(f"header {text!r} is not NAME=VALUE")
    return name, value.encode()
