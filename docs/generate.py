"""Writes the reference pages that are made from the code: `make docs`.

python docs/generate.py           writes them
python docs/generate.py --check   exits with 1 if a page is not up to date
"""

from __future__ import annotations

import sys
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import click
from drawn import PICTURES

from broker.metrics import METRICS as BROKER_METRICS
from broker.metrics.catalogue import REQUEST_SECONDS, REQUEST_SECONDS_HELP
from broker.server.listener import Listener
from broker.settings import Setting, settings
from broker.settings.kafka_properties import IGNORED
from broker.settings.setting import field_docs, settings_of
from broker.topics.definitions import DEFINITIONS
from streams.cli import main
from streams.cli.broker_settings import command_defaults
from streams.observe.metrics import METRICS
from streams.settings import AppSettings

DOCS = Path(__file__).parent
WIDTH = 100


def command_line() -> str:
    """`--help` of every command, in the order of `headrace --help`."""
    parts = ["# Command line\n\nMade from the commands themselves by `make docs`.\n"]
    for path, command in walk("headrace", main):
        context = click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
        parts.append(f"{'#' * (path.count(' ') + 2)} {path}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def walk(path: str, command: click.Command) -> list[tuple[str, click.Command]]:
    """The command and all below it, with the words that call them."""
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += walk(f"{path} {name}", below)
    return found


def metrics() -> str:
    """Every metric of a worker, by what it is measured of."""
    parts = [METRICS_HEAD]
    for scope, group in groupby(METRICS, key=lambda metric: metric.scope):
        labels = ", ".join(f"`{label}`" for label in ("application_id", *scope.labels))
        parts.append(f"## {scope.title}\n\nLabels: {labels}.\n\n| metric | kind | unit | |\n|---|---|---|---|")
        parts += [f"| `{each.name}` | {each.kind} | {each.unit} | {each.help} |" for each in group]
        parts[-1] += "\n"
    return "\n".join(parts)


METRICS_HEAD = """# Metrics

Made from the declarations in `streams/observe/metrics/` by `make docs`.

`GET /metrics` of a worker's HTTP server answers in Prometheus' text format, or in OpenMetrics' for those who accept it.
Names are those that Kafka Streams' metrics have behind the JMX exporter of Prometheus with its default rules: domain,
type and attribute of the MBean, with underscores. What Kafka has no name for begins with `headrace_`.

- `_rate`, `_avg`, `_max`, `_min` and `_ratio` are of the last 30 to 60 seconds, as in Kafka; a mean or an extreme of
  nothing is NaN. `rate()` of a `_total` gives the same for any time.
- Batches are measured, never single records. The latency of a record is that of its batch divided by its records;
  lateness and end-to-end latency are of one record per partition every 100 ms.
- Each worker has one stream thread. `client_id` is the worker's name in the group; `thread_id` begins with it.
- Metrics that only a count of each record could give are left out: latencies and hit ratios of single reads and writes
  of stores, bytes of topics, records of nodes that are no sources.
- Metrics that the program keeps with `prometheus_client`, and that library's own `process_*` and `python_*`, are at the
  same address.
"""


def broker_metrics() -> str:
    """Every metric of the bundled broker, by what it is measured of."""
    parts = [BROKER_METRICS_HEAD]
    for title, group in BROKER_METRICS.items():
        parts.append(f"### {title}\n\n| metric | kind | unit | labels | |\n|---|---|---|---|---|")
        for each in group:
            labels = ", ".join(f"`{label}`" for label in each.labels)
            parts.append(f"| `{each.name}` | {each.kind} | {each.unit} | {labels} | {each.help} |")
        if title == "Requests":
            parts.append(f"| `{REQUEST_SECONDS}` | histogram | seconds | `request` | {REQUEST_SECONDS_HELP} |")
        parts[-1] += "\n"
    return "\n".join(parts)


BROKER_METRICS_HEAD = """# Metrics of the broker

With `headrace broker --metrics-port 9644` (`Broker(metrics=True)` in tests) the bundled broker answers `GET /metrics`,
`/health/live` and `/health/ready` on that port of the loopback address (`metrics_host`). Names are those that Kafka's
metrics have behind the JMX exporter of Prometheus with its example rules for brokers; what Kafka has no name for begins
with `headrace_broker_`. Counts begin with the broker's process. `process_*` and `python_*` are at the same address.

Requests are counted only while the port is open. Topics and logs are read when somebody asks, so they cost nothing
between; with thousands of partitions, ask less often.
"""


def application_settings() -> str:
    """Every setting of an application."""
    docs = field_docs(AppSettings)
    rows = [
        f"| `{name}` | {setting_default(field.get_default(call_default_factory=True))} | {docs.get(name, '')} |"
        for name, field in AppSettings.model_fields.items()
    ]
    return "\n".join([APPLICATION_SETTINGS_HEAD, *rows]) + "\n"


def setting_default(value: object) -> str:
    """As one writes it; nothing where there is none, or it is empty."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str | int | Path) else ""


APPLICATION_SETTINGS_HEAD = """# Settings of an application

Made from `streams/settings/application.py` by `make docs`. Each is an argument of `App`, a variable
(`HEADRACE_COMMIT_INTERVAL` for `commit_interval`), and a name in `headrace.toml` or in `[tool.headrace]` of
`pyproject.toml`; the first of these that says something counts ([how](../how-to/run.md#change-settings)). Durations
are a `timedelta` in Python and seconds elsewhere. `headrace config show MODULE:APP` shows the values and who set them.

| setting | default | |
|---|---|---|"""


def broker_settings() -> str:
    """Every setting of the bundled broker."""
    defaults = command_defaults()
    parts = [BROKER_SETTINGS_HEAD]
    parts += [settings_row(setting, defaults.get(name, setting.default)) for name, setting in settings().items()]
    parts.append(LISTENERS_HEAD)
    own = {name: each for name, each in settings_of(Listener).items() if "." not in name}
    parts += [settings_row(setting, setting.default) for setting in own.values()]
    parts.append(TOPIC_DEFAULTS_HEAD)
    for name, definition in DEFINITIONS.items():
        parts.append(f"| `{name}` | `{definition.broker_name}` | {definition.default} | {definition.doc} |")
    parts.append(IGNORED_HEAD)
    for why, patterns in IGNORED.items():
        parts.append(f"- {why}: {', '.join(f'`{pattern}`' for pattern in patterns)}")
    return "\n".join(parts) + "\n"


def settings_row(setting: Setting, value: object) -> str:
    default = setting.shown(value)
    kafka = f"`{setting.kafka_name}`" if setting.kafka_name else ""
    text = setting.doc.removeprefix(kafka).lstrip(":;., ")
    text = text[:1].upper() + text[1:]
    if setting.choices:
        text += f" Of {', '.join(f'`{choice}`' for choice in setting.choices)}."
    shown = f"`{default}`" if default else ""
    return f"| `{setting.name}` | {shown} | {kafka} | {text.strip().replace('|', chr(92) + '|')} |"


BROKER_SETTINGS_HEAD = """# Settings of the broker

Made from `broker/options.py` by `make docs`. [The broker](../broker.md#settings) says where they can be set. Each is an
option of `headrace broker` (`fetch_max_bytes`: `--fetch-max-bytes`), a variable (`HEADRACE_BROKER_FETCH_MAX_BYTES`), a
name in the table `[broker]` of `headrace.toml`, and an argument of `BrokerOptions`. Where a name has a dot, the table
is `[broker.tls]` and the argument `Tls(…)`; the option has a hyphen (`--tls-certificate`), the variable an underscore.
Secrets are no options: they come from files and the environment. Durations are in ms, sizes in bytes. The defaults are
those of the command; a `Broker()` in Python takes a free port, a temporary directory and `fsync="never"`.

| setting | default | Kafka's name | |
|---|---|---|---|"""
LISTENERS_HEAD = """
## Listeners

In `headrace.toml` each is a table `[[broker.listeners]]` with these keys, and tables `tls` and `sasl` of its own where
it has other ones than the broker. As text they are Kafka's `listeners`, with `listener.security.protocol.map` and
`advertised.listeners`; `listener.name.<name>.` before a property or setting of TLS and SASL sets it for one.

| key | default | Kafka's name | |
|---|---|---|---|"""
TOPIC_DEFAULTS_HEAD = """
## Defaults of topics

These are the configs of topics. Set for the broker, under the topic's or the broker's name of them, they hold for all
topics that do not set them themselves. `log.retention.hours`, `log.retention.minutes` and `log.roll.hours` are taken
too.

| topic config | the broker's name | Kafka's default | |
|---|---|---|---|"""
IGNORED_HEAD = """
## Taken and ignored

Kafka's properties that mean nothing on one node are accepted, with a note, so that a `server.properties` can stay as it
is. Properties that say who clients are and whom they may trust are never among them: they are settings, or refused.
Stores must be PEM (`ssl.keystore.type=PEM`), and `listener.name.<listener>.plain.sasl.jaas.config` gives users.
"""

PAGES = {
    DOCS / "reference" / "command-line.md": command_line,
    DOCS / "reference" / "metrics.md": lambda: metrics() + "\n" + broker_metrics(),
    DOCS / "reference" / "settings.md": application_settings,
    DOCS / "reference" / "broker-settings.md": broker_settings,
}

PAGES |= {DOCS / "pictures" / f"{name}.svg": lambda draw=draw: draw().svg() for name, draw in PICTURES.items()}

if __name__ == "__main__":
    stale = [page for page, make in PAGES.items() if not page.exists() or page.read_text() != make()]
    if "--check" in sys.argv:
        sys.exit(f"not up to date, run make docs: {', '.join(map(str, stale))}" if stale else 0)
    for page in stale:
        page.parent.mkdir(exist_ok=True)
        page.write_text(PAGES[page]())
