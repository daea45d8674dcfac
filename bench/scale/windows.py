"""What a record costs as it falls into more windows, and as more windows are kept: counts of 1,000 keys."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Message

from bench.scale.table import Table
from bench.scale.task import MeasuredTask, messages
from streams import App, hopping

OVERLAPS = (1, 2, 5, 10, 20)
KEPT = (1, 10, 100, 1_000)
RECORDS = 100_000
SIZE_S = 10


def measure(options: argparse.Namespace) -> Table:
    table = Table(
        "windows",
        f"windows: CPU of a record; windows of {SIZE_S} s, {RECORDS:,} records of 1,000 keys over 100 s",
        ("windows of a record", "grace s", "record µs"),
    )
    load = messages(RECORDS, 1_000)
    for overlap in OVERLAPS:
        table.add(overlap, 0, of(overlap, 0, load))
    table.note(f"a further window costs {table.slope('windows of a record', 'record µs'):.2f} µs a record")
    for kept in KEPT[1:]:
        table.add(1, SIZE_S * kept, of(1, SIZE_S * kept, load))
    return table


def of(overlap: int, grace_s: int, load: list[Message]) -> float:
    app = App("scale")
    windows = hopping(timedelta(seconds=SIZE_S), timedelta(seconds=SIZE_S / overlap), grace=timedelta(seconds=grace_s))
    app.stream("in", key=str, value=str).group_by_key().windowed_by(windows).count(store="counts")
    with TemporaryDirectory() as directory:
        task = MeasuredTask(app, Path(directory))
        cpu = task.run(load)
        task.close()
    return cpu / RECORDS * 1e6
