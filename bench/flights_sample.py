"""Makes the flights sample that the demo ships: every sixth row of vega-datasets' flights-3m, half a million flights.

    python bench/flights_sample.py flights-3m.parquet streams/demo/data/flights.parquet

The source is https://github.com/vega/vega-datasets (data/flights-3m.parquet), itself the US Bureau of Transportation
Statistics' on-time performance of January to June 2001. Every sixth row keeps all airports and all days.
"""

from __future__ import annotations

import sys

import pyarrow as pa
import pyarrow.parquet as pq

STEP = 6
SCHEMA = pa.schema(
    {
        "date": pa.timestamp("ms"),
        "delay": pa.int16(),
        "distance": pa.int16(),
        "origin": pa.string(),
        "destination": pa.string(),
    }
)


def main(source: str, target: str) -> None:
    flights = pq.read_table(source)
    sample = flights.take(list(range(0, len(flights), STEP))).cast(SCHEMA)
    sample = sample.sort_by([("date", "ascending"), ("origin", "ascending"), ("destination", "ascending")])
    pq.write_table(
        sample,
        target,
        compression="zstd",
        compression_level=22,
        use_dictionary=["delay", "distance", "origin", "destination"],
        column_encoding={"date": "DELTA_BINARY_PACKED"},
    )
    print(f"{len(sample)} flights in {target}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
