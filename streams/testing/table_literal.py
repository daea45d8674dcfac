"""Tables written as text, the way Markdown has them:

    | key | timestamp | user | amount |
    |-----|-----------|------|--------|
    | a   |         5 | ann  |     10 |
    | b   |         7 |      |        |

The columns `key`, `timestamp` and `value` are the record's own, `start` and `end` those of a windowed key; any other is
a field of the value (`value.key` is its field `key`). The line of dashes and the outer bars may be left out. A cell is
JSON if it reads as JSON, else text; `∅` or nothing is null, and a record all of whose value is null is a tombstone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from streams.serde import Unknown, field_names, field_type, plain_type
from streams.serde.reflection import alternatives, is_faust_record, is_pydantic_model
from streams.windowed import Windowed

NULL = "∅"
OWN_COLUMNS = ("key", "start", "end", "timestamp", "value")
RULE = re.compile(r"[\s|:\-+]*-[\s|:\-+]*")


class TableLiteral(Struct, frozen=True):
    """The columns' names and the cells' texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def records(self, key_type: Any, value_type: Any) -> Iterator[tuple[Any, Any, int | None]]:
        """Key, value and timestamp (None where there is no such column) of each row, as values of these types.

        Raises:
            ValueError: a cell does not fit the type, named with its row.
        """
        for number, row in enumerate(self.rows, 1):
            cells = dict(zip(self.columns, row))
            try:
                key = typed(cells.get("key", ""), key_type)
                if "start" in cells:
                    key = Windowed(key, int(cells["start"]), int(cells["end"]))
                timestamp = int(cells["timestamp"]) if cells.get("timestamp") else None
                yield key, _value(cells, value_type), timestamp
            except (ValueError, TypeError, KeyError) as error:
                shown = " | ".join(row)
                raise ValueError(f"row {number} of the table, {shown!r}, is no record: {error}") from error


def parse_table(text: str) -> TableLiteral:
    """The table in `text`. Raises ValueError for text that is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or ("|" not in text and len(lines) == 1 and lines[0] not in OWN_COLUMNS):
        raise ValueError(f"a table begins with a line of column names, | key | value |, got {text!r}")
    columns, *rows = [_cells(line) for line in lines if not RULE.fullmatch(line)]
    if len(set(columns)) < len(columns) or not all(columns):
        raise ValueError(f"the columns of a table need names that differ, got {' | '.join(columns)!r}")
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{' | '.join(row)!r} has {len(row)} cells, but there are {len(columns)} columns")
    if ("start" in columns) != ("end" in columns):
        raise ValueError("a windowed key needs both columns, start and end")
    return TableLiteral(columns, tuple(rows))


def field_of(column: str) -> str:
    """The field of the value that a column, other than the record's own, stands for."""
    return column.removeprefix("value.")


def literal(text: str) -> Any:
    """What a cell says: None, JSON, or its own text."""
    if text in ("", NULL):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def typed(text: str, kind: Any) -> Any:
    """What a cell says, as a value of the type."""
    if text in ("", NULL):
        return None
    if plain_type(kind) is bytes:
        return text.encode()
    value = text if str in alternatives(kind) and not text.startswith('"') else literal(text)
    return value if plain_type(kind) is Unknown else msgspec.convert(value, kind, strict=False)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], prefixes: Sequence[str]) -> list[str]:
    """Aligned lines, the columns' names first; `prefixes` begin the rows' lines."""
    rows = list(rows)
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]

    def line(prefix: str, cells: Sequence[str]) -> str:
        return f"{prefix} " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()

    return [line(" ", columns), *(line(prefix, row) for prefix, row in zip(prefixes, rows, strict=True))]


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|"))


def _value(cells: dict[str, str], kind: Any) -> Any:
    if "value" in cells:
        return typed(cells["value"], kind)
    fields: dict[str, Any] = {}
    for column, text in cells.items():
        if column not in OWN_COLUMNS and text not in ("", NULL):
            name = field_of(column)
            of_field = field_type(kind, name)
            fields[name] = text if str in alternatives(of_field) and not text.startswith('"') else literal(text)
    if not fields:
        return None
    kind = plain_type(kind)
    known = field_names(kind)
    unknown = [name for name in fields if known is not None and name not in known]
    if unknown:
        raise ValueError(
            f"{getattr(kind, '__name__', kind)} has no field {unknown[0]!r}; it has {', '.join(known or ())}"
        )
    if kind is Unknown or kind is dict:
        return fields
    if is_pydantic_model(kind):
        return kind.model_validate(fields)
    return kind(**fields) if is_faust_record(kind) else msgspec.convert(fields, kind, strict=False)
