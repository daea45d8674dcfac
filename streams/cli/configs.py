"""`headrace configs`: settings of topics, brokers and groups on the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from streams.cli.broker_access import broker_for_command
from streams.cli.failures import CommandFailed, SuggestingGroup, UsageFailed
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk

if TYPE_CHECKING:
    from streams.wire.requests.incremental_alter_configs import Operation

Command = TypeVar("Command", bound=Callable[..., Any])
KIND = click.argument("kind", type=click.Choice(["topic", "broker", "group", "logger", "client-metrics"]))
DRY_RUN = click.option("-n", "--dry-run", is_flag=True, help="Only ask whether it could be done.")


def changes_argument(metavar: str) -> Callable[[Command], Command]:
    return click.argument("changes", metavar=metavar, nargs=-1, required=True)


@click.group(cls=SuggestingGroup, short_help="Show and change settings of topics, brokers, groups.")
def configs() -> None:
    """Show and change the settings of topics, brokers, groups and loggers.

    NAME is the topic's or group's name, or the broker's number; the broker "all" stands for all brokers. Settings of an
    application are another thing: headrace config.

    \b
    headrace configs describe topic flights
    headrace configs set topic flights retention.ms=3600000
    headrace configs set broker all log.retention.ms=3600000
    """


@configs.command("describe")
@KIND
@click.argument("name")
@click.option("-a", "--all", "everything", is_flag=True, help="Also what is by default.")
@json_option
@bootstrap_option
@home_option
def describe(
    kind: str, name: str, everything: bool, as_json: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """What is set for NAME, and where: for it, for its broker, for all brokers, or at the broker's start.

    \b
    headrace configs describe topic flights --all
    headrace configs describe broker 1 --json
    """
    from streams.cli.config_resource import ConfigResource

    with broker_for_command(bootstrap_servers, home) as location:
        found = ConfigResource(location, kind, name).describe()
    shown = [config for config in found if everything or config.source != "default"]
    if as_json:
        for config in shown:
            body = {
                "name": config.name,
                "value": config.value,
                "source": config.source,
                "read_only": config.read_only,
                "secret": config.secret,
            }
            click.echo(msgspec.json.encode(body))
        return
    rows = [
        (config.name, "(secret)" if config.secret else "null" if config.value is None else config.value, config.source)
        for config in shown
    ]
    print_table(("NAME", "VALUE", "SET FOR"), rows)
    if not rows:
        talk(f"nothing is set for {kind} {name}; --all shows what is by default")


@configs.command("set")
@KIND
@click.argument("name")
@changes_argument("CONFIG=VALUE...")
@DRY_RUN
@bootstrap_option
@home_option
def set_configs(
    kind: str, name: str, changes: tuple[str, ...], dry_run: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """Set configs of NAME; all of them or, if one is refused, none.

    \b
    headrace configs set topic flights retention.ms=3600000 cleanup.policy=compact
    headrace configs set logger 1 broker.log=DEBUG
    """
    from streams.wire.requests.incremental_alter_configs import Operation

    _alter(kind, name, Operation.SET, changes, dry_run, bootstrap_servers, home)


@configs.command("delete")
@KIND
@click.argument("name")
@changes_argument("CONFIG...")
@DRY_RUN
@bootstrap_option
@home_option
def delete_configs(
    kind: str, name: str, changes: tuple[str, ...], dry_run: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """Let configs of NAME fall back to their defaults.

    \b
    headrace configs delete topic flights retention.ms
    """
    from streams.wire.requests.incremental_alter_configs import Operation

    _alter(kind, name, Operation.DELETE, changes, dry_run, bootstrap_servers, home)


@configs.command("append")
@KIND
@click.argument("name")
@changes_argument("CONFIG=VALUE...")
@DRY_RUN
@bootstrap_option
@home_option
def append(
    kind: str, name: str, changes: tuple[str, ...], dry_run: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """Add items to lists that are configs of NAME.

    \b
    headrace configs append topic flights cleanup.policy=compact
    """
    from streams.wire.requests.incremental_alter_configs import Operation

    _alter(kind, name, Operation.APPEND, changes, dry_run, bootstrap_servers, home)


@configs.command("subtract")
@KIND
@click.argument("name")
@changes_argument("CONFIG=VALUE...")
@DRY_RUN
@bootstrap_option
@home_option
def subtract(
    kind: str, name: str, changes: tuple[str, ...], dry_run: bool, bootstrap_servers: str | None, home: Path | None
) -> None:
    """Remove items from lists that are configs of NAME.

    \b
    headrace configs subtract topic flights cleanup.policy=delete
    """
    from streams.wire.requests.incremental_alter_configs import Operation

    _alter(kind, name, Operation.SUBTRACT, changes, dry_run, bootstrap_servers, home)


def _alter(
    kind: str,
    name: str,
    operation: Operation,
    words: tuple[str, ...],
    dry_run: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    from streams.cli.config_resource import ConfigResource
    from streams.wire.requests.incremental_alter_configs import ConfigChange, Operation

    changes: list[ConfigChange] = []
    for word in words:
        config, found, value = word.partition("=")
        if operation is Operation.DELETE:
            if found:
                raise UsageFailed(f"{word!r} should be a name without a value: {config}")
            changes.append(ConfigChange(config, operation, None))
            continue
        if not found or not config:
            raise UsageFailed(f"{word!r} is not CONFIG=VALUE")
        changes.append(ConfigChange(config, operation, value))
    with broker_for_command(bootstrap_servers, home) as location:
        resource = ConfigResource(location, kind, name)
        if operation is Operation.DELETE:
            # A broker takes the deletion of any name: a misspelt one would go unnoticed.
            known = {config.name for config in resource.describe()}
            for change in changes:
                if change.name not in known:
                    near = resource.meant([change.name])
                    hint = f"; did you mean {near!r}?" if near else ""
                    raise CommandFailed(f"{resource.shown} has no config {change.name!r}{hint}")
        resource.alter(changes, validate_only=dry_run)
    talk(f"{resource.shown}: {'this can be done' if dry_run else 'done'}")
