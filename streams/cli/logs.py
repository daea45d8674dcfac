"""Log records on stderr, as text or as JSON; only the command line sets this up, never the library.

The format is kept in the environment, so that the processes a command starts, workers and the broker, log alike.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

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
    """Whether stderr is for machines."""
    return os.environ.get(LOG_FORMAT) == "json"


def name_in_logs(application_id: str, worker: Callable[[], str | None]) -> None:
    """From now on JSON records say whose they are."""
    for handler in logging.getLogger().handlers:
        name = getattr(handler.formatter, "name_worker", None)
        if callable(name):
            name(application_id, worker)


def _formatter() -> logging.Formatter:
    if not logs_json():
        return logging.Formatter(TEXT, datefmt="%H:%M:%S")
    from streams.observe.json_log import JsonFormatter

    return JsonFormatter()
