"""What state costs by its size: reading it back, on disk, opening it. Rows of 100 bytes, which lz4
makes little of."""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.scale.table import Table
from bench.scale.task import BATCH, FIRST_TIMESTAMP, MeasuredTask
from streams import App

MB = 10**6
SIZES = (1, 10, 100, 1_000, 10_000)
VALUE_BYTES = 80
KEY_BYTES = 20


def measure(options: argparse.Namespace) -> Table:
    table = Table(
        "state",
        "state: CPU of restoring it (without reading the topic), and its size; keys in random order",
        ("state MB", "restore s CPU", "MB/s CPU", "disk MB", "close s", "open ms", "get µs"),
    )
    for size in SIZES:
        if size <= options.largest_state:
            with TemporaryDirectory() as directory:
                table.add(size, *of(size * MB, Path(directory)))
    return table


def of(size: int, directory: Path) -> tuple[float, float, float, float, float, float]:
    app = App("scale")
    app.table("in", key=bytes, value=bytes, store="rows")
    draw = random.Random(size)
    halves = [draw.randbytes(VALUE_BYTES // 2).hex().encode() for _ in range(1_000)]
    count = size // (KEY_BYTES + VALUE_BYTES)
    task = MeasuredTask(app, directory)
    cpu, done = 0.0, 0
    while done < count:
        rows = [(draw.randbytes(KEY_BYTES), draw.choice(halves), FIRST_TIMESTAMP) for _ in range(BATCH)]
        began = time.process_time()
        task.state.restore("rows", rows, done)
        cpu += time.process_time() - began
        done += BATCH
    began = time.perf_counter()
    task.close()
    closed = time.perf_counter() - began
    disk = task.disk_bytes
    began = time.perf_counter()
    task = MeasuredTask(app, directory)
    opened = time.perf_counter() - began
    store = task.state.store("rows")
    keys = [draw.randbytes(KEY_BYTES) for _ in range(5_000)] + [row[0] for row in rows] * 2
    began = time.process_time()
    for key in keys:
        store.get(key)  # type: ignore[union-attr, call-arg]
    got = (time.process_time() - began) / len(keys)
    task.close()
    return cpu, done * (KEY_BYTES + VALUE_BYTES) / MB / cpu, disk / MB, closed, opened * 1e3, got * 1e6
