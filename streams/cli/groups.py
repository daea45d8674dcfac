"""`headrace groups`: who reads, how far, and from where on."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@click.pass_context
def groups(ctx: click.Context) -> None:
    """List, describe, reset and delete consumer groups. Without a command: list.

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
    from streams.cli.clients import admin_at

    with broker_for_command(bootstrap_servers, home) as location:
        rows = admin_at(location).groups()
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
    from streams.cli.clients import admin_at
    from streams.cluster.group_lag import group_lag

    with broker_for_command(bootstrap_servers, home) as location:
        admin = admin_at(location)
        description = admin.group(group)
        rows = group_lag(admin, group)
    if not rows and not description.members:
        raise CommandFailed(f"group {group!r} has no members and no committed offsets; `headrace groups` lists groups")
    if as_json:
        names = ("topic", "partition", "committed", "end", "lag")
        body = {
            "group": group,
            "state": description.state,
            "members": [{"member": m.member, "instance": m.instance, "host": m.host} for m in description.members],
            "partitions": [dict(zip(names, row)) for row in rows],
        }
        click.echo(msgspec.json.encode(body))
        return
    columns = ("TOPIC", "PARTITION", "COMMITTED", "END", "LAG")
    shown = [tuple("-" if word is None else word for word in row) for row in rows]
    print_table(columns, shown, right=columns[1:])
    if leaderless := sum(row.lag is None for row in rows):
        talk(f"{leaderless} without a leader at the moment: their ends are not known")
    number = len(description.members)
    talk(f"state: {description.state}, {number} member{'' if number == 1 else 's'}")
    for member in description.members:
        talk(f"  {member.instance or member.member}  {member.host}")


@groups.command("reset")
@click.argument("group")
@click.option("--to", metavar="WHERE", help="earliest (default), latest, or a time: ISO 8601 or milliseconds.")
@click.option("--to-offset", type=click.IntRange(min=0), help="The same offset in each partition, within its log.")
@click.option("-t", "--topic", "topics", multiple=True, help="Repeatable; default: all that it has offsets of.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@bootstrap_option
@home_option
def reset_group(
    group: str,
    to: str | None,
    to_offset: int | None,
    topics: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Let GROUP go on from WHERE. Its members must have left. An application: headrace reset.

    \b
    headrace groups reset mailer --to 2026-01-01 --topic orders
    """
    from streams.cli.clients import admin_at
    from streams.cli.group_offsets import beginning_of, beginnings, commit_offsets

    begin = beginning_of(to, to_offset)
    with broker_for_command(bootstrap_servers, home) as location:
        admin = admin_at(location)
        committed, counts = admin.committed(group), admin.partition_counts()
        wanted = topics or tuple(dict.fromkeys(topic for topic, _ in committed))
        for topic in wanted:
            if topic not in counts:
                raise CommandFailed(f"there is no topic {topic!r}; `headrace topics` lists those there are")
        if not wanted:
            raise CommandFailed(f"group {group!r} has no committed offsets: say --topic which it is to read")
        places = [(topic, partition) for topic in wanted for partition in range(counts[topic])]
        offsets = beginnings(location, places, begin)
        rows = [(*place, committed.get(place), offset) for place, offset in offsets.items()]
        if as_json:
            for row in rows:
                click.echo(msgspec.json.encode(dict(zip(("topic", "partition", "committed", "offset"), row))))
        else:
            columns = ("TOPIC", "PARTITION", "COMMITTED", "GOES ON AT")
            shown = [(topic, partition, "-" if old is None else old, new) for topic, partition, old, new in rows]
            print_table(columns, shown, right=columns[1:])
        if dry_run:
            talk("nothing was done")
            return
        if not yes:
            click.confirm(f"Reset {group}?", abort=True, err=True)
        commit_offsets(location, group, offsets)
    talk(f"{group} goes on from there")


@groups.command("delete")
@click.argument("names", metavar="GROUP...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@bootstrap_option
@home_option
def delete_groups(names: tuple[str, ...], yes: bool, bootstrap_servers: str | None, home: Path | None) -> None:
    """Delete groups with their offsets. Their members must have left.

    \b
    headrace groups delete mailer --yes
    """
    from streams.cli.clients import admin_at

    if not yes:
        click.confirm(f"Delete {', '.join(names)} and all offsets?", abort=True, err=True)
    with broker_for_command(bootstrap_servers, home) as location:
        admin_at(location).delete_groups(list(names))
    talk(f"deleted {', '.join(names)}")
