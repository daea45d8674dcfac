"""Log records as JSON, one object a line, for those who collect logs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

EVENT = re.compile(r"([a-z]+(?:_[a-z]+)+): ")
"""How messages begin that tell of something that happened: `tasks_running: 0_0 0_1`."""


class JsonFormatter(logging.Formatter):
    """A formatter for any handler of `logging`: `handler.setFormatter(JsonFormatter(application_id="orders"))`.

    Fields, in this order: `time` (UTC, ISO 8601 with ms), `level`, `logger`, `event` (the name of what happened, where
    the message begins with one), `message`, `application_id`, `worker`, `task` (where there is one), `exc` (the
    traceback as text), and whatever the record got by `extra=`.

    Args:
        application_id: the same for all records.
        worker: tells the worker's name once it has one: `lambda: worker.client_id`.
    """

    def __init__(self, application_id: str | None = None, worker: Callable[[], str | None] = lambda: None) -> None:
        super().__init__()
        self.name_worker(application_id, worker)

    def name_worker(self, application_id: str | None, worker: Callable[[], str | None]) -> None:
        """Whose records they are from now on."""
        self._application_id = application_id
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        event = EVENT.match(message)
        moment = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if event is not None:
            fields["event"] = event[1]
        fields["message"] = message
        fields["application_id"] = self._application_id
        fields["worker"] = self._worker()
        fields |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info:
            fields["exc"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = self.formatStack(record.stack_info)
        return json.dumps({name: value for name, value in fields.items() if value is not None}, default=str)


STANDARD = frozenset(
    {*vars(logging.LogRecord("", 0, "", 0, "", None, None)), "message", "asctime", "exc_text", "taskName"}
)
"""What every record has; all else came by `extra=`."""
