"""What it costs to tell time across a repartition topic: control records, as they are made and as they are taken in."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from bench.scale.table import Table
from streams.plan.task_id import TaskId
from streams.runtime.progress import Progress
from streams.runtime.publisher import PublishedTopic, WatermarkPublisher
from streams.runtime.watermark import WATERMARK_HEADER, Watermark

SHAPES = ((4, 2), (10, 2), (100, 1), (100, 10), (1_000, 1), (1_000, 10), (1_000, 100))
"""Upstream tasks, which are as many as partitions, and the processes that run them."""
LONG = 10_000_000
INTERVAL_MS, REPEAT_MS = 500, 10_000


def measure(options: argparse.Namespace) -> Table:
    table = Table(
        "watermarks",
        "watermarks: a repartition topic with as many upstream tasks as partitions; CPU",
        (
            "tasks",
            "processes",
            "told every s",
            "record bytes",
            "make µs",
            "take µs",
            "records/s, all",
            "kB/s, all",
            "reader ms/s",
        ),
    )
    for tasks, processes in SHAPES:
        table.add(tasks, processes, *of(tasks, processes))
    return table


def of(tasks: int, processes: int) -> tuple[float, ...]:
    """`reader ms/s`: what a process takes in in a second, CPU, with its share of the partitions."""
    at = [0]
    publishers = [publisher(tasks, range(number, tasks, processes), at, number) for number in range(processes)]
    for each in publishers:
        each.due(0)
    at[0] += 1
    first = publishers[0].next_due(0)
    now = [LONG]

    def make() -> Any:
        now[0] += LONG
        at[0] += 1
        return publishers[0].due(now[0])

    made = timed(make, 300)
    records = [Control(each.due(100 * LONG * 300)[0].payload) for each in publishers]
    watermark = Watermark("repartition", [TaskId(0, number) for number in range(tasks)])
    for record in records:
        watermark.observe(record)
    taken = timed(lambda: [watermark.observe(record) for record in records], 3_000 // processes) / processes
    size = len(records[0].payload)
    rate = processes * tasks / (first / 1_000)
    return first / 1_000, size, made, taken, rate, rate * size / 1_000, rate / processes * taken / 1_000


def publisher(tasks: int, own: range, at: list[int], offset: int) -> WatermarkPublisher:
    made = WatermarkPublisher(
        {"repartition": PublishedTopic(tasks, tasks)}, interval_ms=INTERVAL_MS, repeat_ms=REPEAT_MS
    )
    for number in own:
        made.add(TaskId(0, number), {"repartition": lambda previous: Progress(at[0] + offset, False)})
    return made


class Control:
    """The message of a control record."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    def headers(self) -> list[tuple[str, bytes | None]]:
        return [(WATERMARK_HEADER, self.payload)]


def timed(function: Callable[[], Any], times: int) -> float:
    """CPU µs of a call."""
    began = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - began) / times * 1e6
