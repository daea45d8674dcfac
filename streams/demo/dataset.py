"""The flights and airports of the demo, read from Parquet and CSV and made into records.

A flight's record: key = origin airport, value = JSON, timestamp = scheduled departure. The JSON is put together
column-wise by Arrow, a hundred thousand rows at a time: that costs a tenth of encoding row by row.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from streams.demo.arrow import ArrowTable, arrow, compute, milliseconds, parquet
from streams.demo.flight_delays import Airport
from streams.errors import ConfigError

COLUMNS = ("date", "delay", "distance", "origin", "destination")
BATCH_ROWS = 50_000
DAY_MS = 86_400_000


class FlightBatch(Struct, frozen=True, kw_only=True):
    """Consecutive flights as records, column by column, all of the same length.

    keys: origin airports as UTF-8. values: JSON. timestamps: ms since the epoch, never falling.
    """

    keys: list[bytes]
    values: list[bytes]
    timestamps: list[int]


class Flights:
    """A table of flights in the order of their departure."""

    def __init__(self, table: ArrowTable, *, fingerprint: str) -> None:
        """`table` has `COLUMNS`, sorted by date; `fingerprint` tells one file's flights from another's."""
        self.table = table
        self.fingerprint = fingerprint

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def per_origin(self) -> dict[str, int]:
        """Number of flights by origin airport."""
        counts = compute().value_counts(self.table["origin"])
        return {row["values"]: row["counts"] for row in counts.to_pylist()}

    @cached_property
    def first_timestamp(self) -> int:
        """ms since the epoch; 0 if there are no flights."""
        return milliseconds(self.table["date"].slice(0, 1)).to_pylist()[0] if len(self) else 0

    def batches(self) -> Iterator[FlightBatch]:
        """All flights as records, in order."""
        pa, pc = arrow(), compute()

        def text(column: Any) -> Any:
            return pc.cast(column, pa.string())

        for start in range(0, len(self), BATCH_ROWS):
            part = self.table.slice(start, BATCH_ROWS).combine_chunks()
            timestamps = milliseconds(part["date"])
            values = pc.binary_join_element_wise(
                '{"ts":',
                text(timestamps),
                ',"origin":"',
                part["origin"],
                '","destination":"',
                part["destination"],
                '","delay":',
                text(part["delay"]),
                ',"distance":',
                text(part["distance"]),
                "}",
                "",  # the separator
            )
            yield FlightBatch(
                keys=pc.cast(part["origin"], pa.binary()).to_pylist(),
                values=pc.cast(values, pa.binary()).to_pylist(),
                timestamps=timestamps.to_pylist(),
            )


def read_flights(file: Path | None = None, *, rows: int | None = None) -> Flights:
    """The flights in a Parquet file (default: the sample in the package), or the first `rows` of them.

    Raises:
        ConfigError: the file is not Parquet or lacks a column; names which.
    """
    pa, pc, pq = arrow(), compute(), parquet()
    if file is None:
        with resources.as_file(resources.files("streams.demo") / "data" / "flights.parquet") as sample:
            return read_flights(sample, rows=rows)
    try:
        names = pq.read_schema(file).names
        missing = [column for column in COLUMNS if column not in names]
        if missing:
            raise ConfigError(f"{file} has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
        table = pq.read_table(file, columns=list(COLUMNS))
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(f"{file} cannot be read as Parquet: {error}") from error
    table = table.set_column(3, "origin", pc.cast(table["origin"], pa.string()))
    table = table.set_column(4, "destination", pc.cast(table["destination"], pa.string()))
    _check_codes(file, table)
    if any(table[column].null_count for column in COLUMNS):
        raise ConfigError(f"{file} has nulls among {', '.join(COLUMNS)}; leave those rows out")
    if not _is_sorted(table):
        table = table.sort_by("date")
    with file.open("rb") as stream:
        fingerprint = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    return Flights(table if rows is None else table.slice(0, rows), fingerprint=fingerprint)


def read_airports() -> list[Airport]:
    """All airports of the package's table, in the order of their codes."""
    text = (resources.files("streams.demo") / "data" / "airports.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return [Airport(iata=row["iata"], city=row["city"], state=row["state"]) for row in rows]


def airport_records() -> Iterator[tuple[bytes, bytes]]:
    """Key and JSON value of each airport."""
    for airport in read_airports():
        yield airport.iata.encode(), msgspec.json.encode(airport)


def _is_sorted(table: ArrowTable) -> bool:
    pc = compute()
    dates = table["date"].combine_chunks()
    return len(dates) < 2 or bool(pc.all(pc.less_equal(dates[:-1], dates[1:])).as_py())


def _check_codes(file: Path, table: ArrowTable) -> None:
    """The codes are put between quotes as they are, so they must need no escapes."""
    for column in ("origin", "destination"):
        for code in compute().unique(table[column]).to_pylist():
            if not (isinstance(code, str) and code.isalnum()):
                raise ConfigError(f"{file}: {code!r} in column {column} is not an airport code")
