"""`headrace config`: the settings that count here, and who set them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from streams.cli.application import load_app
from streams.cli.failures import SuggestingGroup
from streams.cli.options import json_option
from streams.cli.terminal import print_table, talk


@click.group(cls=SuggestingGroup)
def config() -> None:
    """Show the settings and where they come from.

    \b
    headrace config show
    headrace config show app.py:app
    """


@config.command("show")
@click.argument("application", metavar="[MODULE:APP]", required=False)
@json_option
def show(application: str | None, as_json: bool) -> None:
    """Every setting with its value and its origin; secrets are masked.

    Arguments of App count before the environment (HEADRACE_COMMIT_INTERVAL), that before headrace.toml or the table
    [tool.headrace] of pyproject.toml, here or above, and that before the defaults. Without MODULE:APP: what an
    application in this directory would have.

    \b
    headrace config show app.py:app
    HEADRACE_CLIENT_SECURITY_PROTOCOL=ssl headrace config show --json
    """
    from streams.settings import application_settings, find_settings_file, settings_with_origins, unknown_variables

    file = find_settings_file(os.environ, Path.cwd())
    given: Mapping[str, Any] = {}
    if application is None:
        settings = application_settings("unnamed", given)
    else:
        app = load_app(application)
        settings, given = app.settings, app.given
    found = list(settings_with_origins(settings, given, os.environ, file, argument="App(…)"))
    if application is None:
        found = [setting for setting in found if setting.name != "application_id"]
    for setting in found:
        if as_json:
            row = {"setting": setting.name, "value": plain(setting.value), "origin": setting.origin}
            click.echo(msgspec.json.encode(row))
    if not as_json:
        print_table(("SETTING", "VALUE", "ORIGIN"), [(s.name, shown(s.value), s.origin) for s in found])
    for name, meant in unknown_variables(os.environ).items():
        talk(f"{name} is set, but is no setting" + (f"; did you mean {meant}?" if meant else ""))


def plain(value: object) -> object:
    """For JSON: durations in seconds, functions by their names."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset | set):
        return sorted(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, str | int | float | bool | None):
        return value
    return getattr(value, "__qualname__", str(value))


def shown(value: object) -> str:
    """For people."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    if value is None:
        return "-"
    value = plain(value)
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
