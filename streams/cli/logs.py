"""Log records on stderr, as text or as JSON; only the command line sets this up, never the library.

The format is kept in the environment, so that the processes a command starts, workers and the broker, log alike.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.observe.json_log import JsonFormatter

TEXT = "%(asctime)s %(levelname)-7s %(name)s  %(message)s"
LOG_FORMAT = "HEADRACE_LOG_FORMAT"
OWN = ("streams", "stores", "broker", "headrace")


def log_to_stderr(*, verbose: bool = False) -> None:
    """INFO and above, DEBUG with `verbose`; other libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in OWN:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)


def logs_json() -> bool:
    """Whether stderr is for machines: in a command that takes `--log-format`, and was told so."""
    return bool(_json_formatters())


def name_in_logs(application_id: str, worker: Callable[[], str | None]) -> None:
    """From now on JSON records say whose they are."""
    for formatter in _json_formatters():
        formatter.name_worker(application_id, worker)


def _json_formatters() -> list[JsonFormatter]:
    if (module := sys.modules.get("streams.observe.json_log")) is None:  # imported by who makes one
        return []
    formatters: list[Any] = [handler.formatter for handler in logging.getLogger().handlers]
    return [formatter for formatter in formatters if isinstance(formatter, module.JsonFormatter)]


def _wants_json() -> bool:
    return os.environ.get(LOG_FORMAT) == "json"


def _formatter() -> logging.Formatter:
    if not _wants_json():
        return logging.Formatter(TEXT, datefmt="%H:%M:%S")
    from streams.observe.json_log import JsonFormatter

    return JsonFormatter()
