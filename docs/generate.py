"""Writes the reference pages that are made from the code: `make docs`.

python docs/generate.py           writes them
python docs/generate.py --check   exits with 1 if a page is not up to date
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import click

from streams.cli import main
from streams.observe.metrics import METRICS

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
        for name in sorted(command.commands):
            found += walk(f"{path} {name}", command.commands[name])
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

PAGES = {DOCS / "reference" / "command-line.md": command_line, DOCS / "reference" / "metrics.md": metrics}

if __name__ == "__main__":
    stale = [page for page, make in PAGES.items() if not page.exists() or page.read_text() != make()]
    if "--check" in sys.argv:
        sys.exit(f"not up to date, run make docs: {', '.join(map(str, stale))}" if stale else 0)
    for page in stale:
        page.parent.mkdir(exist_ok=True)
        page.write_text(PAGES[page]())
