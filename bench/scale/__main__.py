"""`python -m bench.scale [measure …]`: what grows with what, and by how much. See README.md in `bench`."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.scale import keys, memory, partitions, state, watermarks, windows
from bench.scale.table import Table

MEASURES: dict[str, Callable[[argparse.Namespace], Table]] = {
    "watermarks": watermarks.measure,
    "windows": windows.measure,
    "keys": keys.measure,
    "state": state.measure,
    "stores": memory.stores,
    "tasks": memory.tasks,
    "partitions": partitions.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("measure", nargs="*", help=f"of {', '.join(MEASURES)}; all if none is named")
    parser.add_argument("--largest-keys", type=int, default=10_000_000)
    parser.add_argument("--largest-state", type=int, default=1_000, metavar="MB")
    parser.add_argument("--largest-partitions", type=int, default=1_000)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    if unknown := set(options.measure) - MEASURES.keys():
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    tables = [MEASURES[name](options) for name in options.measure or MEASURES]
    if options.json is not None:
        machine = {
            "cpus": psutil.cpu_count(),
            "memory": psutil.virtual_memory().total,
            "python": platform.python_version(),
        }
        options.json.write_text(
            json.dumps({"machine": machine, "tables": [table.json() for table in tables]}, indent=1)
        )


if __name__ == "__main__":
    main()
