"""`headrace doctor`: what may be wrong here, and the cure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from streams.cli.application import load_app
from streams.cli.options import bootstrap_option, json_option
from streams.cli.terminal import on_terminal

if TYPE_CHECKING:
    from streams.cli.checkup import Finding

COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


@click.command(short_help="Look for what may be wrong here, and say the cure.")
@click.argument("application", metavar="[MODULE:APP]", required=False)
@json_option
@bootstrap_option
def doctor(application: str | None, as_json: bool, bootstrap_servers: str | None) -> None:
    """Look for what may be wrong: packages, versions, settings, disk, broker, and the inputs of MODULE:APP.

    Exits with 1 if anything has to be done. With MODULE:APP it also loads the application and looks at a sample of
    its input topics.

    \b
    headrace doctor
    headrace doctor app.py:app --bootstrap-servers kafka-1:9092
    """
    failures = 0
    for finding in _findings(application, bootstrap_servers):
        failures += finding.verdict == "failure"
        if as_json:
            click.echo(msgspec.json.encode(finding))
        else:
            _show(finding)
    raise click.exceptions.Exit(1 if failures else 0)


def _findings(application: str | None, bootstrap_servers: str | None) -> Iterator[Finding]:
    from streams.cli.checkup import (
        check_environment,
        check_log,
        check_partitioning,
        check_settings,
        check_state_directory,
    )
    from streams.discovery import locate_broker
    from streams.settings import application_settings

    yield from check_environment()
    settled = list(check_settings(os.environ, Path.cwd()))
    yield from settled
    if any(finding.verdict == "failure" for finding in settled):
        return
    app = load_app(application) if application is not None else None
    settings = app.settings if app is not None else application_settings("unnamed", {})
    yield from check_state_directory(settings.state_dir)
    location = locate_broker(bootstrap_servers or settings.bootstrap_servers)
    log = list(check_log(location))
    yield from log
    if app is not None and not any(finding.verdict == "failure" for finding in log):
        from streams.cli.clients import admin_at

        yield from check_partitioning(location, app.plan(), admin_at(location).partition_counts())


def _show(finding: Finding) -> None:
    mark = click.style(f"{finding.verdict:8}", fg=COLOURS[finding.verdict]) if on_terminal() else f"{finding.verdict:8}"
    click.echo(f"{mark} {finding.subject:10} {finding.text}")
    if finding.cure is not None:
        click.echo(f"{'':19} -> {finding.cure}")
