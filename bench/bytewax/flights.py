"""W4 on Bytewax, which exchanges flights between its workers in memory, without a topic in between."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as w
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from bench.bytewax.joined import join_table
from bench.bytewax.topics import read, write

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_MS = 86_400_000

Sums = tuple[int, int, int]


class Delays(w.WindowLogic[Any, Sums, Sums]):
    """Flights, minutes of delay, and the greatest delay."""

    def __init__(self, sums: Sums | None) -> None:
        self.sums = sums

    def on_value(self, value: dict[str, Any]) -> list[Sums]:
        delay = value["minutes"]
        if self.sums is None:
            self.sums = (1, delay, delay)
        else:
            flights, minutes, worst = self.sums
            self.sums = (flights + 1, minutes + delay, max(worst, delay))
        return [self.sums]

    def on_merge(self, original: Delays) -> list[Sums]:
        raise NotImplementedError("tumbling windows do not merge")

    def on_close(self) -> list[Sums]:
        return []

    def snapshot(self) -> Sums:
        assert self.sums is not None
        return self.sums


def located(flight: dict[str, Any], airport: dict[str, Any]) -> dict[str, Any]:
    return {"state": airport["state"], "minutes": flight["delay"], "ts": flight["ts"]}


def result(keyed: tuple[str, tuple[int, Sums]]) -> tuple[str, dict[str, Any]]:
    state, (day, (flights, minutes, worst)) = keyed
    return state, {"start": day * DAY_MS, "flights": flights, "mean_delay": minutes / flights, "worst": worst}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    flow = Dataflow("flights")
    flights, airports = (read(flow, bootstrap_servers, topic) for topic in source.split(","))
    by_state = op.map("by state", join_table(flights, airports, located), lambda kv: (kv[1]["state"], kv[1]))
    clock = w.EventClock(
        ts_getter=lambda delay: datetime.fromtimestamp(delay["ts"] / 1000, UTC),
        wait_for_system_duration=timedelta(hours=1),
    )
    delays = w.window("delays", by_state, clock, w.TumblingWindower(length=DAY, align_to=EPOCH), Delays)
    write(op.map("result", delays.down, result), bootstrap_servers, sink)
    cli_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:6])
