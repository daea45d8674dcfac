"""`headrace acls`: who may do what."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from streams.cli.acl_entries import (
    OPERATIONS,
    AclEntry,
    Resource,
    check_operation,
    principal_text,
    resource_options,
    resources,
)
from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup, UsageFailed
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk

COLUMNS = ("PRINCIPAL", "PERMISSION", "OPERATION", "RESOURCE", "HOST")
NO_RESOURCE = "name what it is about: --topic, --group, --transactional-id or --cluster"
operation_names = click.Choice(OPERATIONS)


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@click.pass_context
def acls(ctx: click.Context) -> None:
    """List, add and remove access control entries. Without a command: list.

    \b
    headrace acls
    headrace acls add alice read --topic flights --group reports
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_acls)


@acls.command("list")
@click.option("--principal", help="Of one principal, such as alice or User:alice.")
@resource_options
@json_option
@bootstrap_option
@home_option
def list_acls(
    principal: str | None = None,
    topics: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    transactional_ids: tuple[str, ...] = (),
    cluster: bool = False,
    prefix: bool = False,
    as_json: bool = False,
    bootstrap_servers: str | None = None,
    home: Path | None = None,
) -> None:
    """Entries, sorted. With names: all entries that count for them, those for '*' and for prefixes too.

    \b
    headrace acls list --topic flights
    """
    from streams.cli.acl_admin import AclAdmin

    chosen = resources(topics, groups, transactional_ids, cluster, prefix)
    wanted = [Resource(kind=one.kind, name=one.name, pattern=one.pattern if prefix else "match") for one in chosen]
    who = None if principal is None else principal_text(principal)
    filters = [
        AclEntry(resource=resource, principal=who, host=None, operation=None, permission=None)
        for resource in wanted or [Resource(kind=None, name=None, pattern="any")]
    ]
    with broker_for_command(bootstrap_servers, home) as location:
        admin = AclAdmin(location)
        entries = {entry for one in filters for entry in admin.find(one)}
    in_order = sorted(entries, key=lambda entry: entry.row)
    if as_json:
        for entry in in_order:
            click.echo(msgspec.json.encode(entry.body))
    else:
        print_table(COLUMNS, [entry.row for entry in in_order])


@acls.command("add")
@click.argument("principal")
@click.argument("operations", metavar="OPERATION...", nargs=-1, required=True, type=operation_names)
@resource_options
@click.option("--deny", is_flag=True, help="Deny it; that wins over every entry that allows it.")
@click.option("--host", default="*", show_default=True, help="Only from this address.")
@bootstrap_option
@home_option
def add_acls(
    principal: str,
    operations: tuple[str, ...],
    topics: tuple[str, ...],
    groups: tuple[str, ...],
    transactional_ids: tuple[str, ...],
    cluster: bool,
    prefix: bool,
    deny: bool,
    host: str,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Let PRINCIPAL (alice, or User:alice; User:* for everybody) do these operations: all, read, write, create,
    delete, alter, describe, cluster-action, describe-configs, alter-configs, idempotent-write.

    \b
    headrace acls add alice read --topic flights --group reports
    headrace acls add loader write create --topic raw- --prefix
    headrace acls add mallory all --topic '*' --deny
    """
    from streams.cli.acl_admin import AclAdmin

    wanted = resources(topics, groups, transactional_ids, cluster, prefix)
    if not wanted:
        raise UsageFailed(NO_RESOURCE)
    entries: list[AclEntry] = []
    for resource in wanted:
        for operation in dict.fromkeys(operations):
            check_operation(operation, resource)
            entries.append(
                AclEntry(
                    resource=resource,
                    principal=principal_text(principal),
                    host=host,
                    operation=operation,
                    permission="deny" if deny else "allow",
                )
            )
    with broker_for_command(bootstrap_servers, home) as location:
        AclAdmin(location).create(entries)
    talk(f"added {counted(len(entries))}")


@acls.command("remove")
@click.argument("principal")
@click.argument("operations", metavar="[OPERATION]...", nargs=-1, type=operation_names)
@resource_options
@click.option("--host", help="Only those for this address.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@bootstrap_option
@home_option
def remove_acls(
    principal: str,
    operations: tuple[str, ...],
    topics: tuple[str, ...],
    groups: tuple[str, ...],
    transactional_ids: tuple[str, ...],
    cluster: bool,
    prefix: bool,
    host: str | None,
    yes: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Remove the entries of PRINCIPAL for exactly these names, or all of PRINCIPAL if none is given; without
    operations, for all of them. Entries that deny go, too.

    \b
    headrace acls remove alice --topic flights
    headrace acls remove alice write --topic raw- --prefix --yes
    """
    from streams.cli.acl_admin import AclAdmin

    wanted = resources(topics, groups, transactional_ids, cluster, prefix)
    filters = [
        AclEntry(
            resource=resource, principal=principal_text(principal), host=host, operation=operation, permission=None
        )
        for resource in wanted or [Resource(kind=None, name=None, pattern="any")]
        for operation in dict.fromkeys(operations) or (None,)
    ]
    with broker_for_command(bootstrap_servers, home) as location:
        admin = AclAdmin(location)
        doomed = {entry for one in filters for entry in admin.find(one)}
        if not doomed:
            raise CommandFailed(f"{principal_text(principal)} has no such entries; `headrace acls` lists what there is")
        if not yes:
            for entry in sorted(doomed, key=lambda entry: entry.row):
                talk("  ".join(entry.row))
            click.confirm(f"Remove {counted(len(doomed))}?", abort=True, err=True)
        admin.delete(filters)
    talk(f"removed {counted(len(doomed))}")


def counted(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"
