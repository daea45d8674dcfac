"""W2 on Bytewax, whose `count_window` tells a count once, at its end: every update takes a logic of one's own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as w
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from bench.bytewax.topics import read, write

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIZE_MS = 10_000


class RunningCount(w.WindowLogic[Any, int, int]):
    def __init__(self, number: int | None) -> None:
        self.number = number or 0

    def on_value(self, value: Any) -> list[int]:
        self.number += 1
        return [self.number]

    def on_merge(self, original: RunningCount) -> list[int]:
        self.number += original.number
        return []

    def on_close(self) -> list[int]:
        return []

    def snapshot(self) -> int:
        return self.number


def result(keyed: tuple[str, tuple[int, int]]) -> tuple[str, dict[str, int]]:
    user, (window, number) = keyed
    return user, {"start": window * SIZE_MS, "count": number}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    flow = Dataflow("window_count")
    clock = w.EventClock(
        ts_getter=lambda event: datetime.fromtimestamp(event["ts"] / 1000, UTC),
        wait_for_system_duration=timedelta(seconds=1),
    )
    windows = w.TumblingWindower(length=timedelta(milliseconds=SIZE_MS), align_to=EPOCH)
    counts = w.window("count", read(flow, bootstrap_servers, source), clock, windows, RunningCount)
    write(op.map("result", counts.down, result), bootstrap_servers, sink)
    cli_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:6])
