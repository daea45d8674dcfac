"""What a worker process takes of memory and files, by its tasks and by the stores of each."""

from __future__ import annotations

import argparse

from bench.scale.table import Table
from bench.scale.worker_process import site

TASKS = (4, 50, 100, 200)
STORES = (1, 2, 4, 8)
TASKS_OF_STORES = 50
RECORDS = 200_000
COLUMNS = ("RSS MiB", "PSS MiB", "files", "RSS loaded MiB", "PSS loaded MiB")


def tasks(options: argparse.Namespace) -> Table:
    table = Table("tasks", "tasks: memory of a worker with so many tasks of one store", ("tasks", *COLUMNS))
    for count in TASKS:
        table.add(count, *of(count, 1))
    table.note(
        f"a task takes {table.slope('tasks', 'RSS MiB'):.2f} MiB idle, "
        f"{table.slope('tasks', 'RSS loaded MiB'):.2f} MiB loaded; base {table.base('tasks', 'RSS MiB'):.0f} MiB"
    )
    return table


def stores(options: argparse.Namespace) -> Table:
    title = f"stores: memory of a worker with {TASKS_OF_STORES} tasks of so many stores"
    table = Table("stores", title, ("stores", *COLUMNS))
    for count in STORES:
        table.add(count, *of(TASKS_OF_STORES, count))
    slopes = [table.slope("stores", column) / TASKS_OF_STORES for column in ("RSS MiB", "RSS loaded MiB")]
    table.note(f"a store of a task takes {slopes[0]:.2f} MiB idle, {slopes[1]:.2f} MiB loaded")
    return table


def of(tasks: int, stores: int) -> tuple[float, float, int, float, float]:
    """Loaded: after 200,000 records of 100,000 keys, each of which is in each store."""
    with site(tasks, stores=stores) as here:
        idle = here.worker.taken()
        here.load(RECORDS, 100_000)
        loaded = here.worker.taken()
    return idle.rss, idle.pss, idle.files, loaded.rss, loaded.pss
