"""`headrace topics`: list, describe, create, grow, empty and delete topics."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup, UsageFailed
from streams.cli.moment import milliseconds
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@click.pass_context
def topics(ctx: click.Context) -> None:
    """List, describe, create, grow, empty and delete topics. Without a command: list.

    \b
    headrace topics
    headrace topics create flights --partitions 4
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_topics, as_json=False, internal=True, bootstrap_servers=None, home=None)


@topics.command("list")
@click.option("--internal/--no-internal", default=True, show_default=True, help="With changelogs and repartitions.")
@json_option
@bootstrap_option
@home_option
def list_topics(internal: bool, as_json: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """Names, partitions and numbers of records.

    \b
    headrace topics list --no-internal
    """
    from streams.cli.clients import admin_at, consumer
    from streams.cluster.internal_topics import is_internal
    from streams.cluster.partitions import offset_ranges

    with broker_for_command(bootstrap_servers, home) as location:
        client = consumer(location)
        try:
            rows: list[tuple[str, int, int]] = []
            for name, partitions in admin_at(location).partition_counts().items():
                if internal or not is_internal(name):
                    ranges = offset_ranges(client, name, list(range(partitions)))
                    rows.append((name, partitions, sum(high - low for low, high in ranges.values())))
        finally:
            client.close()
    if as_json:
        for name, partitions, records in rows:
            click.echo(msgspec.json.encode({"topic": name, "partitions": partitions, "records": records}))
    else:
        print_table(("TOPIC", "PARTITIONS", "RECORDS"), rows, right=("PARTITIONS", "RECORDS"))


@topics.command("describe")
@click.argument("topic")
@json_option
@bootstrap_option
@home_option
def describe_topic(topic: str, as_json: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """Offsets by partition, and the settings that are not defaults.

    \b
    headrace topics describe flights
    """
    from streams.cli.clients import admin_at, consumer
    from streams.cluster.partitions import offset_ranges, partition_ids

    with broker_for_command(bootstrap_servers, home) as location:
        client = consumer(location)
        try:
            ranges = offset_ranges(client, topic, partition_ids(client, topic))
        finally:
            client.close()
        leaders = admin_at(location).leaders(topic)
        configs = admin_at(location).topic_overrides(topic)
    if as_json:
        body = {
            "topic": topic,
            "partitions": [{"partition": p, "first": low, "next": high} for p, (low, high) in ranges.items()],
            "configs": configs,
        }
        click.echo(msgspec.json.encode(body))
        return
    rows = [(p, leaders[p], low, high, high - low) for p, (low, high) in ranges.items()]
    columns = ("PARTITION", "LEADER", "FIRST", "NEXT", "RECORDS")
    print_table(columns, rows, right=columns)
    for name, value in configs.items():
        talk(f"{name}={value}")


@topics.command("create")
@click.argument("topic")
@click.option("-n", "--partitions", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("-r", "--replication-factor", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("-c", "--config", "configs", metavar="NAME=VALUE", multiple=True, help="Repeatable.")
@bootstrap_option
@home_option
def create_topic(
    topic: str,
    partitions: int,
    replication_factor: int,
    configs: tuple[str, ...],
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Create TOPIC.

    \b
    headrace topics create flights --partitions 4 --config retention.ms=-1
    """
    settings: dict[str, str] = {}
    for text in configs:
        name, found, value = text.partition("=")
        if not found:
            raise UsageFailed(f"config {text!r} is not NAME=VALUE")
        settings[name] = value
    from streams.cli.clients import admin_at

    with broker_for_command(bootstrap_servers, home) as location:
        admin_at(location).create_topic(
            topic, partitions=partitions, replication_factor=replication_factor, configs=settings
        )
    talk(f"created {topic} with {partitions} partition{'' if partitions == 1 else 's'}")


@topics.command("alter")
@click.argument("topic")
@click.option("-n", "--partitions", type=click.IntRange(min=1), required=True, help="The new total.")
@bootstrap_option
@home_option
def alter_topic(topic: str, partitions: int, bootstrap_servers: str | None, home: Path | None) -> None:
    """Give TOPIC more partitions. Keys may move to other ones. Settings are changed by headrace configs.

    \b
    headrace topics alter flights --partitions 8
    """
    from streams.cli.clients import admin_at

    with broker_for_command(bootstrap_servers, home) as location:
        admin_at(location).add_partitions(topic, partitions)
    talk(f"{topic} has {partitions} partitions")


@topics.command("trim")
@click.argument("topic")
@click.option("--before", metavar="WHERE", required=True, help="An offset, end, or a time: ISO 8601.")
@click.option("-p", "--partition", "only", type=click.IntRange(min=0), multiple=True, help="Repeatable; default: all.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@bootstrap_option
@home_option
def trim_topic(
    topic: str, before: str, only: tuple[int, ...], yes: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """Delete the records of TOPIC that stand before WHERE.

    \b
    headrace topics trim flights --before end
    headrace topics trim flights --before 1200 --partition 0
    """
    from streams.cli.clients import admin_at, consumer
    from streams.cluster.beginning import Beginning, first_offsets
    from streams.cluster.partitions import offset_ranges, partition_ids

    if before == "end":
        limit = Beginning("end")
    else:
        limit = Beginning("offset", int(before)) if before.isdecimal() else Beginning("time", milliseconds(before))
    with broker_for_command(bootstrap_servers, home) as location:
        client = consumer(location)
        try:
            known = partition_ids(client, topic)
            strange = sorted(set(only) - set(known))
            if strange:
                raise CommandFailed(f"topic {topic!r} has no partition {strange[0]}, it has {len(known)}")
            ranges = offset_ranges(client, topic, sorted(set(only)) or known)
            offsets = first_offsets(client, topic, ranges, limit)
        finally:
            client.close()
        number = sum(offsets[partition] - low for partition, (low, _) in ranges.items())
        if not yes:
            click.confirm(f"Delete up to {number} records of {topic}?", abort=True, err=True)
        left = admin_at(location).delete_records({(topic, partition): offset for partition, offset in offsets.items()})
    rows = [(partition, ranges[partition][0], offset) for (_, partition), offset in sorted(left.items())]
    columns = ("PARTITION", "FIRST BEFORE", "FIRST NOW")
    print_table(columns, rows, right=columns)


@topics.command("delete")
@click.argument("names", metavar="TOPIC...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@bootstrap_option
@home_option
def delete_topics(names: tuple[str, ...], yes: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """Delete topics and all their records.

    \b
    headrace topics delete flights airports --yes
    """
    from streams.cli.clients import admin_at

    if not yes:
        click.confirm(f"Delete {', '.join(names)} and all records?", abort=True, err=True)
    with broker_for_command(bootstrap_servers, home) as location:
        admin_at(location).delete_topics(list(names))
    talk(f"deleted {', '.join(names)}")
