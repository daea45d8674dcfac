"""`headrace reset`: an application forgets what it has read, and begins again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from streams.cli.application import APP_ARGUMENT, load_app
from streams.cli.broker_access import broker_for_command
from streams.cli.home import Home
from streams.cli.options import bootstrap_option, home_option, json_option
from streams.cli.terminal import print_table, talk

if TYPE_CHECKING:
    from streams.cli.application_reset import Reset


@click.command(short_help="Let an application begin again from where you say.")
@APP_ARGUMENT
@click.option("--to", metavar="WHERE", help="earliest (default), latest, or a time: ISO 8601 or milliseconds.")
@click.option("--to-offset", type=click.IntRange(min=0), help="The same offset in each partition, within its log.")
@click.option("-t", "--topic", "topics", multiple=True, help="Only this input; repeatable. The others go on.")
@click.option("--state-dir", type=click.Path(path_type=Path, file_okay=False), help="Where the stores are.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@bootstrap_option
@home_option
def reset(
    application: str,
    to: str | None,
    to_offset: int | None,
    topics: tuple[str, ...],
    state_dir: Path | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    bootstrap_servers: str | None,
    home: Path | None,
) -> None:
    """Let MODULE:APP begin again: its inputs from WHERE, with empty stores.

    Sets the offsets of its inputs, deletes its changelog and repartition topics and its state on this host. What it
    has written to output topics stays. Its workers must have stopped; state on other hosts is to be deleted there.
    With --dir, broker and stores are those of that directory.

    \b
    headrace reset app.py:app --dry-run
    headrace reset app.py:app --to 2001-01-01 --yes
    """
    from streams.cli.application_reset import carry_out, plan_reset
    from streams.cli.clients import admin_at
    from streams.cli.group_offsets import beginning_of

    start = beginning_of(to, to_offset)
    app = load_app(application)
    stores = app.settings.state_dir
    if home is not None:
        stores = Home(home).state_dir
    elif not bootstrap_servers:
        bootstrap_servers = app.settings.bootstrap_servers
    with broker_for_command(bootstrap_servers, home) as location:
        admin = admin_at(location)
        planned = plan_reset(location, admin, app.plan(), state_dir or stores, start, topics)
        if as_json:
            click.echo(msgspec.json.encode(_document(planned, done=not dry_run)))
        else:
            _show(planned)
        if dry_run:
            talk("nothing was done")
            return
        if not yes:
            click.confirm(f"Reset {planned.group}?", abort=True, err=True)
        carry_out(location, admin, planned)
    talk(f"{planned.group} begins again when it is started")


def _show(planned: Reset) -> None:
    columns = ("INPUT", "PARTITION", "COMMITTED", "BEGINS AT")
    rows = [
        (topic, partition, "-" if before is None else before, offset)
        for (topic, partition), (before, offset) in planned.offsets.items()
    ]
    print_table(columns, rows, right=columns[1:])
    for topic in planned.topics:
        talk(f"delete topic {topic}")
    if planned.directory is not None:
        talk(f"delete directory {planned.directory}")
    for topic in planned.left_topics:
        talk(f"leave topic {topic}: it is not of this topology; headrace topics delete {topic}")


def _document(planned: Reset, *, done: bool) -> dict[str, object]:
    return {
        "application": planned.group,
        "offsets": [
            {"topic": topic, "partition": partition, "committed": before, "offset": offset}
            for (topic, partition), (before, offset) in planned.offsets.items()
        ],
        "deleted_topics": planned.topics,
        "deleted_directory": None if planned.directory is None else str(planned.directory),
        "left_topics": planned.left_topics,
        "done": done,
    }
