"""Log records of a broker process as JSON, one object a line: for a command whose other processes log so."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Fields: `time` (UTC, ISO 8601 with ms), `level`, `logger`, `message`, whatever the record got by `extra=`, `exc`
    (a traceback)."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name, value in vars(record).items() if name not in STANDARD and value is not None}
        if record.exc_info:
            fields["exc"] = self.formatException(record.exc_info)
        return json.dumps(fields)


STANDARD = frozenset((*vars(logging.LogRecord("", 0, "", 0, "", None, None)), "message", "asctime", "taskName"))
"""What every record has; all else came by `extra=`."""
