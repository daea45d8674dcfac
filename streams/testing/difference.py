"""What differs between the records a test expects and those that came, as text that shows it at a glance:

topic 'totals' is not as expected (- expected, + found):
  key | timestamp | n | mean
  a   | 5         | 1 | 10
- a   | 6         | 2 | 12     <- n
+ a   | 6         | 3 | 12
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec

from streams.serde.foreign import encode_foreign
from streams.serde.reflection import field_names
from streams.testing.record import Parts, Sketches, TestRecord, parts
from streams.testing.table_literal import NULL, OWN_COLUMNS, field_of, literal, parse_table, show_table
from streams.windowed import Windowed

Expected = Sketches
Cells = tuple[str, ...]
MISSING = "(no such field)"
ANY = "any"


def difference(what: str, found: Sequence[TestRecord], expected: Expected, *, ordered: bool = True) -> str | None:
    """None if `found` is what is expected, else a text that begins with `what`.

    A table literal is compared cell by cell, in the columns it has; other expectations by `==`, timestamps only where
    they are given, headers only where a whole `TestRecord` has some.

    Args:
        ordered: False compares by key, as for a table.
    """
    if isinstance(expected, str):
        table = parse_table(expected)
        columns = table.columns
        wanted = [tuple(_token(literal(cell)) for cell in row) for row in table.rows]
        came = [tuple(_cell(record, column) for column in columns) for record in found]
        if not ordered:
            wanted.sort()
            came.sort()
        return None if wanted == came else _explain(what, columns, wanted, came)
    sketches = parts(expected)
    records = list(found)
    if not ordered:
        sketches.sort(key=lambda sketch: _token(sketch[0]))
        records.sort(key=lambda record: _token(record.key))
    if len(sketches) == len(records) and all(map(_fits, sketches, records)):
        return None
    timed = any(timestamp is not None for _, _, timestamp, _ in sketches)
    examples = [TestRecord(key, value, timestamp or 0, headers or []) for key, value, timestamp, headers in sketches]
    columns = _columns([*examples, *records], timed, any(headers for _, _, _, headers in sketches))
    wanted = [
        tuple(ANY if column == "timestamp" and sketch[2] is None else _cell(example, column) for column in columns)
        for example, sketch in zip(examples, sketches)
    ]
    came = [
        next(
            (shown for shown, sketch in zip(wanted, sketches) if _fits(sketch, record)),
            tuple(_cell(record, column) for column in columns),
        )
        for record in records
    ]
    if wanted == came:  # they differ in what the cells do not show
        index = next(i for i, sketch in enumerate(sketches) if not _fits(sketch, records[i]))
        key, value, *_ = sketches[index]
        record = records[index]
        return (
            f"{what} is not as expected: record {index + 1} reads the same but is of other types:\n"
            f"- {key!r}: {value!r}\n+ {record.key!r}: {record.value!r}"
        )
    return _explain(what, columns, wanted, came)


def _fits(sketch: Parts, record: TestRecord) -> bool:
    key, value, timestamp, headers = sketch
    return (
        key == record.key
        and value == record.value
        and (timestamp is None or timestamp == record.timestamp)
        and (not headers or headers == record.headers)
    )


def _explain(what: str, columns: Sequence[str], wanted: Sequence[Cells], came: Sequence[Cells]) -> str:
    prefixes: list[str] = []
    rows: list[Cells] = []
    notes: dict[int, str] = {}
    for kind, i, j, m, n in SequenceMatcher(None, wanted, came, autojunk=False).get_opcodes():
        if kind == "equal":
            rows += wanted[i:j]
            prefixes += [" "] * (j - i)
            continue
        while i < j or m < n:  # pairs that differ stand one under the other
            if i < j and m < n:
                unlike = [name for name, one, other in zip(columns, wanted[i], came[m]) if one != other]
                if len(unlike) < len(columns):
                    notes[len(rows)] = "  <- " + ", ".join(unlike)
            if i < j:
                rows.append(wanted[i])
                prefixes.append("-")
                i += 1
            if m < n:
                rows.append(came[m])
                prefixes.append("+")
                m += 1
    lines = show_table(columns, rows, prefixes)
    lines = [line + notes.get(number - 1, "") for number, line in enumerate(lines)]
    if not came:
        lines.append("  (nothing was found)")
    return f"{what} is not as expected (- expected, + found):\n" + "\n".join(lines)


def _columns(records: Sequence[TestRecord], timed: bool, headed: bool) -> list[str]:
    """What shows these records: the fields of their values where all have the same ones."""
    columns = ["key"]
    if any(isinstance(record.key, Windowed) for record in records):
        columns += ["start", "end"]
    if timed:
        columns.append("timestamp")
    shapes = {_fields(record.value) for record in records if record.value is not None}
    fields = shapes.pop() if len(shapes) == 1 else None
    columns += ["value"] if not fields else [f"value.{name}" if name in OWN_COLUMNS else name for name in fields]
    return [*columns, "headers"] if headed else columns


def _fields(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, dict):
        names: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return tuple(names) if all(isinstance(name, str) for name in names) else None
    known = field_names(type(value))
    return None if known is None else tuple(known)


def _cell(record: TestRecord, column: str) -> str:
    key, value = record.key, record.value
    if isinstance(key, Windowed) and column in ("key", "start", "end"):
        return _token(getattr(key, column))  # pyright: ignore[reportUnknownArgumentType]
    if column in ("start", "end"):
        return NULL
    if column in ("key", "timestamp", "value", "headers"):
        return _token(getattr(record, column))
    name = field_of(column)
    if value is None:
        return NULL
    if isinstance(value, dict):
        return _token(value.get(name))  # pyright: ignore
    return _token(getattr(value, name)) if hasattr(value, name) else MISSING


def _token(value: Any) -> str:
    """The text of a value; numbers that are equal have the same."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, int):
        return str(value)
    try:
        return json.dumps(msgspec.to_builtins(value, enc_hook=encode_foreign), sort_keys=True, ensure_ascii=False)
    except (TypeError, NotImplementedError, ValueError):
        return repr(value)
