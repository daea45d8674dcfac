"""Counters in Prometheus' text format.

Written by hand: the counters are ints that exist already, and a client library would want to own them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.observe.counters import COUNTER_HELP
from streams.plan.task_id import TaskId

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(application_id: str, counters: Mapping[TaskId, Mapping[str, int]], running: int, coming: int) -> str:
    """One counter per task and name, and how many tasks there are."""
    return "\n".join([*_lines(application_id, counters, running, coming), ""])


def _lines(
    application_id: str, counters: Mapping[TaskId, Mapping[str, int]], running: int, coming: int
) -> Iterator[str]:
    application = escape(application_id)
    for name, help_text in COUNTER_HELP.items():
        metric = f"headrace_task_{name}_total"
        yield f"# HELP {metric} {help_text}"
        yield f"# TYPE {metric} counter"
        for task, counts in sorted(counters.items()):
            yield f'{metric}{{application="{application}",task="{task}"}} {counts[name]}'
    yield "# HELP headrace_tasks Tasks of this worker."
    yield "# TYPE headrace_tasks gauge"
    yield f'headrace_tasks{{application="{application}",state="running"}} {running}'
    yield f'headrace_tasks{{application="{application}",state="restoring"}} {coming}'


def escape(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
