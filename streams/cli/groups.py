"""`headrace groups`: who reads, and how far."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk

if TYPE_CHECKING:
    from streams.discovery import BrokerLocation


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@click.pass_context
def groups(ctx: click.Context) -> None:
    """List consumer groups, or describe one with its lag. Without a command: list.

    \b
    headrace groups
    headrace groups describe flight-delays
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_groups, as_json=False, bootstrap_servers=None, home=None)


@groups.command("list")
@json_option
@bootstrap_option
@home_option
def list_groups(as_json: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """Names and states. An application's group has the application's id.

    \b
    headrace groups list --json
    """
    from streams.cli.admin import Admin

    with broker_for_command(bootstrap_servers, home) as location:
        rows = Admin(location).groups()
    if as_json:
        for name, state in rows:
            click.echo(msgspec.json.encode({"group": name, "state": state}))
    else:
        print_table(("GROUP", "STATE"), rows)


@groups.command("describe")
@click.argument("group")
@json_option
@bootstrap_option
@home_option
def describe_group(group: str, as_json: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """Committed offset, end of the log and lag of each partition, and the members.

    \b
    headrace groups describe flight-delays
    """
    from streams.cli.admin import Admin

    with broker_for_command(bootstrap_servers, home) as location:
        description = Admin(location).group(group)
        rows = group_lag(location, group)
    if not rows and not description.members:
        raise CommandFailed(f"group {group!r} has no members and no committed offsets; `headrace groups` lists groups")
    if as_json:
        names = ("topic", "partition", "committed", "end", "lag")
        body = {
            "group": group,
            "state": description.state,
            "members": description.members,
            "partitions": [dict(zip(names, row)) for row in rows],
        }
        click.echo(msgspec.json.encode(body))
        return
    columns = ("TOPIC", "PARTITION", "COMMITTED", "END", "LAG")
    print_table(columns, rows, right=columns[1:])
    number = len(description.members)
    talk(f"state: {description.state}, {number} member{'' if number == 1 else 's'}")
    for member in description.members:
        talk(f"  {member.instance or member.member}  {member.host}")


def group_lag(location: BrokerLocation, group: str) -> list[tuple[str, int, int, int, int]]:
    """Topic, partition, committed offset, end offset and lag, for each partition the group has committed."""
    from streams.cli.admin import Admin
    from streams.cli.clients import consumer, offset_ranges

    client = consumer(location)
    try:
        rows: list[tuple[str, int, int, int, int]] = []
        for (topic, partition), committed in Admin(location).committed(group).items():
            end = offset_ranges(client, topic, [partition])[partition][1]
            rows.append((topic, partition, committed, end, max(0, end - committed)))
    finally:
        client.close()
    return rows
