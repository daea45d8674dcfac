"""What a worker and its broker cost as the partitions become many, at rest and per record, at the same load."""

from __future__ import annotations

import argparse
import time

from bench.scale.table import Table
from bench.scale.worker_process import site, taken

SIZES = (10, 100, 300, 1_000)
RECORDS = 400_000
KEYS = 10_000
REST_S = 5.0


def measure(options: argparse.Namespace) -> Table:
    table = Table(
        "partitions",
        f"partitions: CPU of one worker with all tasks, and of the broker; {RECORDS:,} records of {KEYS:,} keys",
        (
            "partitions",
            "start s CPU",
            "rest ms/s",
            "broker rest ms/s",
            "record µs",
            "broker record µs",
            "broker RSS MiB",
        ),
    )
    for partitions in SIZES:
        if partitions <= options.largest_partitions:
            table.add(partitions, *of(partitions))
    return table


def of(partitions: int) -> tuple[float, ...]:
    """`start`: until all tasks run. `record` is what is left when rest is taken away."""
    with site(partitions) as here:
        worker, broker = here.worker.taken, lambda: taken(here.broker)
        begun = worker(), broker()
        time.sleep(REST_S)
        rested = worker(), broker()
        rest = [(after.cpu_s - before.cpu_s) / REST_S for before, after in zip(begun, rested, strict=True)]
        began = time.monotonic()
        here.load(RECORDS, KEYS)
        duration = time.monotonic() - began
        loaded = worker(), broker()
        record = [
            (after.cpu_s - before.cpu_s - each * duration) / RECORDS
            for before, after, each in zip(rested, loaded, rest, strict=True)
        ]
    return (
        begun[0].cpu_s,
        rest[0] * 1e3,
        rest[1] * 1e3,
        record[0] * 1e6,
        record[1] * 1e6,
        loaded[1].rss,
    )
