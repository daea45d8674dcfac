"""Options of `headrace broker`: one for each setting of the broker, made from their one description.

The common ones are in `--help`; all are taken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.failures import SuggestingGroup
from streams.discovery import HOME_DIRECTORY

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from broker.settings import Given, Resolved, Setting

COMMON = (
    *("data", "host", "port", "fsync", "listeners", "tls_certificate", "tls_key", "sasl_users_file"),
    *("schema_registry_port", "metrics_port", "log_requests", "faults"),
)
"""Options that `--help` lists."""
SHORT = {
    "fsync": "What acknowledged records survive; always: a power cut, never: the death of the process.",
    "schema_registry_port": "For a schema registry; 0: any.",
    "metrics_port": "For metrics and health checks; 0: any.",
    "listeners": "Instead: SASL_SSL://0.0.0.0:9093,….",
    "tls_certificate": "PEM; with it TLS is spoken.",
    "tls_key": "PEM, unless it is beside the certificate.",
    "sasl_users_file": "NAME=PASSWORD lines; asks for passwords.",
    "log_requests": "Log each request.",
    "faults": "For clients to meet: EndTxn:delay=500.",
}
"""Help where the setting's own text is long for it."""
CODE = re.compile(r"`([^`]*)`")
SENTENCE = re.compile(r"(?<=[.;])\s")


def command_defaults() -> Mapping[str, Any]:
    """What the command has otherwise than `Broker()`: it keeps its log, where clients look for it."""
    return {"data": Path(HOME_DIRECTORY) / "broker", "port": 9092, "fsync": "always"}


class BrokerCommand(SuggestingGroup):
    """Its options are made when they are first needed: other commands need not import the broker's settings. What they
    are for is read off the source when it is shown: a broker that is started need not wait for that."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from broker.settings import settings

        if not any(parameter.name == "data" for parameter in self.params):
            made = [option(setting) for setting in settings().values() if setting.has_flag]
            made.sort(key=lambda one: COMMON.index(one.name) if one.name in COMMON else len(COMMON))
            self.params[:0] = made
        return super().get_params(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.explain_options(ctx)
        super().format_options(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        self.explain_options(ctx)
        return super().shell_complete(ctx, incomplete)

    def explain_options(self, ctx: click.Context) -> None:
        from broker.settings import settings

        defaults = command_defaults()
        explained = {option_name(setting): setting for setting in settings().values()}
        for made in self.get_params(ctx):
            if isinstance(made, click.Option) and made.name in explained:
                made.help = help_text(explained[made.name], defaults)


def option_name(setting: Setting) -> str:
    return setting.name.replace(".", "_")


def help_text(setting: Setting, defaults: Mapping[str, Any]) -> str:
    """A sentence, and the default where that says something."""
    text = SHORT.get(option_name(setting)) or SENTENCE.split(CODE.sub(r"\1", setting.doc))[0].rstrip(".;:") + "."
    default = setting.shown(defaults.get(setting.name, setting.default))
    return text if default in ("", "false") else f"{text}  [default: {default}]"


def option(setting: Setting) -> click.Option:
    """The option of a setting. Its value stays text: `broker.settings` checks it as it does any other."""
    hidden = option_name(setting) not in COMMON
    if setting.required_type is bool:
        flags = f"{setting.flag}/--no-{setting.flag.removeprefix('--')}"
        return click.Option([flags], default=None, hidden=hidden)
    if setting.name == "faults":
        return click.Option(["--fault", setting.name], multiple=True, metavar="API:ACTION", hidden=hidden)
    return click.Option([setting.flag], metavar=metavar(setting), hidden=hidden)


def metavar(setting: Setting) -> str:
    if setting.name == "fsync":
        return f"[{'|'.join(setting.choices)}]"
    return "PATH" if setting.path else {int: "N"}.get(setting.required_type, "TEXT")


def resolved(
    given: Mapping[str, Any],
    assignments: tuple[str, ...],
    properties: Path | None,
    config: Path | None,
    environ: Mapping[str, str] = os.environ,
) -> Resolved:
    """The broker's options from options, environment, properties file and settings file.

    Args:
        given: the options by the settings' names, None where they are not on the command line.
        assignments: `--set`.

    Raises:
        SettingError, ConfigError: a setting is unknown or malformed, a file cannot be read.
    """
    from broker.settings import resolve
    from broker.settings.given import from_assignments, from_environment, from_properties, from_table
    from streams.settings_file import BROKER_TABLE, find_settings_file, read_settings_file

    file = find_settings_file(environ, Path.cwd()) if config is None else read_settings_file(config)
    table: Any = {} if file is None else file.values.get(BROKER_TABLE, {})
    return resolve(
        [
            [*flags(given), *from_assignments(assignments)],
            from_environment(environ),
            [] if properties is None else from_properties(properties),
            [] if file is None else from_table(table, file.path),
        ],
        command_defaults(),
    )


def flags(given: Mapping[str, Any]) -> list[Given]:
    from broker.settings import Given, settings

    by_option = {name.replace(".", "_"): setting for name, setting in settings().items()}
    return [
        Given(by_option[name].name, value, "--fault" if name == "faults" else by_option[name].flag, exposed=True)
        for name, value in given.items()
        if value is not None and value != ()
    ]
