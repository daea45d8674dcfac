"""What a record costs as the keys become many: a count of each key so far, in RocksDB, of keys drawn at random."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.scale.table import Table
from bench.scale.task import BATCH, FIRST_TIMESTAMP, MeasuredTask, messages
from streams import App

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
RECORDS = 200_000
ONE = (1).to_bytes(8, "big")
MIB = 2**20


def measure(options: argparse.Namespace) -> Table:
    table = Table(
        "keys",
        f"keys: CPU of a record of a random key ({RECORDS:,} records, a commit every {BATCH:,}), state filled before",
        ("keys", "fill µs/key", "record µs", "disk MiB", "RSS MiB", "reopen ms"),
    )
    for keys in SIZES:
        if keys <= options.largest_keys:
            with TemporaryDirectory() as directory:
                table.add(keys, *of(keys, Path(directory)))
    return table


def of(keys: int, directory: Path) -> tuple[float, float, float, float, float]:
    app = App("scale")
    app.stream("in", key=str, value=str).group_by_key().count(store="counts")
    task = MeasuredTask(app, directory)
    began = time.process_time()
    for start in range(0, keys, BATCH):
        rows = [(b"key-%08d" % key, ONE, FIRST_TIMESTAMP) for key in range(start, min(start + BATCH, keys))]
        task.state.restore("counts", rows, start)
    filled = (time.process_time() - began) / keys
    task.close()
    began = time.perf_counter()
    task = MeasuredTask(app, directory)
    reopened = time.perf_counter() - began
    task.run(messages(RECORDS // 4, keys, seed=2))
    load = messages(RECORDS, keys)
    cpu = task.run(load) / RECORDS
    del load
    rss, disk = psutil.Process().memory_info().rss, task.disk_bytes
    task.close()
    return filled * 1e6, cpu * 1e6, disk / MIB, rss / MIB, reopened * 1e3
