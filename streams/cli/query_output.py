"""How `headrace query` shows rows: a table on a terminal, one JSON object a line otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from streams.cli.terminal import print_table, talk

Row = dict[str, Any]
TIMES = frozenset({"start", "end", "timestamp", "valid_to"})


def print_rows(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row).decode())
    elif rows:
        columns = columns_of(rows)
        numbers = [name for name in columns if all(isinstance(row_cells(row).get(name), int | float) for row in rows)]
        print_table(columns, cells(rows, columns), right=numbers)
    else:
        talk("no rows")


def print_stores(stores: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        print_rows(stores, as_json=True)
        return
    print_table(
        ("STORE", "KIND", "KEY", "WORKERS"),
        (
            (
                store["name"],
                store["kind"],
                store["key_type"],
                ", ".join(sorted(set(map(str, store["owners"].values())))),
            )
            for store in stores
        ),
    )


class Watch:
    """Rows that change: redrawn in place on a terminal, one after the other otherwise."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._rows: dict[str, Row] = {}

    def show(self, snapshot: Sequence[Row], changes: Iterable[Row]) -> None:
        """Until there are no more changes, or Ctrl-C."""
        if self._as_json:
            print_rows(snapshot, as_json=True)
            for row in changes:
                print_rows([row], as_json=True)
            return
        from rich.live import Live

        for row in snapshot:
            self._take(row)
        with Live(self._table(), auto_refresh=False) as live:
            for row in changes:
                self._take(row)
                live.update(self._table(), refresh=True)

    def _take(self, row: Row) -> None:
        place = repr((row["key"], row.get("start"), row.get("end")))
        if row["value"] is None:
            self._rows.pop(place, None)
        else:
            self._rows[place] = row

    def _table(self) -> Any:
        from rich.table import Table

        rows = list(self._rows.values())
        table = Table(box=None, pad_edge=False, header_style="bold")
        columns = columns_of(rows)
        for column in columns:
            table.add_column(column)
        for each in cells(rows, columns):
            table.add_row(*each)
        return table


def columns_of(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row_cells(row)))


def row_cells(row: Row) -> Row:
    """The row with the fields of an object as cells of their own."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict) and name in ("key", "value"):
            fields: Row = {str(field): each for field, each in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            flat |= {field if field not in row else f"{name}.{field}": each for field, each in fields.items()}
        else:
            flat[name] = value
    return flat


def cells(rows: Sequence[Row], columns: Sequence[str]) -> Iterator[list[str]]:
    for row in rows:
        flat = row_cells(row)
        yield [cell(column, flat.get(column), own=column in row) for column in columns]


def cell(column: str, value: Any, *, own: bool) -> str:
    """`own`: the column is the row's, not a field of its value."""
    if value is None:
        return ""
    if own and column in TIMES and isinstance(value, int) and 0 <= value < 253_402_300_800_000:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
