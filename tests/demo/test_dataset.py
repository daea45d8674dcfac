"""The flights and airports that the demo ships, and other files of the same shape."""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams import ConfigError
from streams.demo.dataset import airport_records, read_airports, read_flights
from streams.demo.flight_delays import Airport, Flight


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three flights, not in order."""
    file = tmp_path / "flights.parquet"
    table = pa.table(
        {
            "date": pa.array([datetime(2001, 1, day) for day in (2, 1, 3)], pa.timestamp("us")),
            "delay": [5, -3, 0],
            "distance": [100, 200, 300],
            "origin": pa.array(["SEA", "JFK", "SEA"], pa.large_string()),
            "destination": pa.array(["JFK", "SEA", "LAX"], pa.large_string()),
        }
    )
    pq.write_table(table, file)
    return file


def test_sample_is_half_a_million_flights_in_four_megabytes() -> None:
    """What the package ships."""
    data = resources.files("streams.demo") / "data"
    with resources.as_file(data) as directory:
        assert sum(file.stat().st_size for file in directory.glob("*.parquet")) <= 4_000_000
    flights = read_flights()
    assert len(flights) == 500_000
    known = {airport.iata for airport in read_airports()}
    assert flights.per_origin().keys() <= known


def test_batches_hold_every_flight_as_json_in_order(small: Path) -> None:
    """The values decode as the application's Flight; keys are origins; times rise."""
    flights = read_flights(small)
    (batch,) = flights.batches()
    assert batch.keys == [b"JFK", b"SEA", b"SEA"]
    assert batch.timestamps == [978307200000, 978393600000, 978480000000]
    assert [msgspec.json.decode(value, type=Flight) for value in batch.values] == [
        Flight(ts=978307200000, origin="JFK", destination="SEA", delay=-3, distance=200),
        Flight(ts=978393600000, origin="SEA", destination="JFK", delay=5, distance=100),
        Flight(ts=978480000000, origin="SEA", destination="LAX", delay=0, distance=300),
    ]
    assert flights.first_timestamp == 978307200000


def test_batches_of_the_sample_decode_and_never_go_back_in_time() -> None:
    """Arrow's text is valid JSON of the right shape, for all of half a million."""
    decode = msgspec.json.Decoder(Flight).decode
    last = rows = 0
    for batch in read_flights().batches():
        assert batch.timestamps[0] >= last
        assert batch.timestamps == sorted(batch.timestamps)
        last = batch.timestamps[-1]
        rows += sum(1 for value in batch.values if decode(value))
    assert rows == 500_000


def test_read_flights_rows_takes_the_first(small: Path) -> None:
    """The earliest N, not any N."""
    assert read_flights(small, rows=1).per_origin() == {"JFK": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop_columns(["delay"]), "has no column delay"),
        (lambda table: table.set_column(3, "origin", pa.array(['S"A', "JFK", "SEA"])), "is not an airport code"),
        (lambda table: table.set_column(1, "delay", pa.array([1, None, 2])), "has nulls"),
    ],
)
def test_read_flights_wrong_file_says_what_is_wrong(small: Path, change: object, words: str) -> None:
    """Another file must have the columns, codes and values that the records are made of."""
    assert callable(change)
    pq.write_table(change(pq.read_table(small)), small)
    with pytest.raises(ConfigError, match=words):
        read_flights(small)


def test_read_flights_not_parquet_says_so(tmp_path: Path) -> None:
    """A CSV given by mistake."""
    file = tmp_path / "flights.csv"
    file.write_text("date,delay\n")
    with pytest.raises(ConfigError, match=r"flights\.csv cannot be read as Parquet"):
        read_flights(file)


def test_airport_records_are_keyed_json() -> None:
    """One record for each airport, keyed by its code."""
    records = dict(airport_records())
    assert len(records) == len(read_airports())
    assert msgspec.json.decode(records[b"SEA"], type=Airport).state == "WA"
