"""Log records as JSON, one a line."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from streams.observe.json_log import JsonFormatter


def formatted(formatter: JsonFormatter, message: str, *arguments: object, **more: Any) -> dict[str, Any]:
    record = logging.getLogger("streams.somewhere").makeRecord(
        "streams.somewhere", logging.WARNING, __file__, 1, message, arguments, more.pop("exc_info", None), extra=more
    )
    record.created = 978_307_200.25
    line = formatter.format(record)
    assert "\n" not in line
    return json.loads(line)


def test_record_has_time_level_logger_event_and_whose_it_is() -> None:
    formatter = JsonFormatter("orders", lambda: "orders-host-0")
    assert formatted(formatter, "store_rebuilt: store %r", "n", task="0_3") == {
        "time": "2001-01-01T00:00:00.250Z",
        "level": "warning",
        "logger": "streams.somewhere",
        "event": "store_rebuilt",
        "message": "store_rebuilt: store 'n'",
        "application_id": "orders",
        "worker": "orders-host-0",
        "task": "0_3",
    }


def test_record_without_event_task_or_application_has_no_such_fields() -> None:
    assert formatted(JsonFormatter(), "plain words: and more").keys() == {"time", "level", "logger", "message"}


def test_traceback_is_text_of_one_field() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError:
        found = formatted(JsonFormatter(), "it failed", exc_info=sys.exc_info())
    assert found["exc"].startswith("Traceback")
    assert found["exc"].endswith("ValueError: no such thing")


def test_extra_of_any_type_is_kept() -> None:
    found = formatted(JsonFormatter(), "x", where=("topic", 1), what=object)
    assert found["where"] == ["topic", 1]
    assert found["what"] == "<class 'object'>"


def test_worker_named_later_is_in_later_records() -> None:
    formatter = JsonFormatter()
    formatter.name_worker("orders", lambda: "orders-1")
    assert formatted(formatter, "x")["worker"] == "orders-1"
