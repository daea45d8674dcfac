"""What the figures are meant to be, and whether they are: `python -m bench aims RESULTS…`."""

from __future__ import annotations

import operator
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.report import order, spread, title
from bench.results import Entry, Results

PYTHON_PEERS = ("quix", "bytewax", "faust")
JOBS = (
    "filter_map",
    "window_count",
    "window_count_10k",
    "window_count_100k",
    "stream_table_join",
    "flights",
    "stream_stream_join",
    "session_count",
    "table_table_join",
    "foreign_key_join",
)
FIRST_FOUR = ("filter_map", "window_count", "stream_table_join", "flights")

BESIDE_KAFKA_STREAMS = {
    "filter_map": 1.7,
    "window_count": 3.5,
    "window_count_10k": 3.5,
    "window_count_100k": 1.5,
    "stream_table_join": 3.5,
    "flights": 4.0,
    "stream_stream_join": 1.2,
    "session_count": 2.0,
    "table_table_join": 1.0,
    "foreign_key_join": 1.0,
}
BESIDE_PYTHON = {"filter_map": 3.0, "window_count": 6.0, "stream_table_join": 5.0, "flights": 20.0}
BESIDE_THE_FLOOR = {"filter_map": 0.8, "window_count": 0.75, "stream_table_join": 0.75}


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound for headrace's figure, or for its ratio to another's in the same round.

    `who` and `beside` are peers, with `@` and a broker if that is not the first one.
    """

    text: str
    workload: str
    bound: float
    figure: str = "rate"
    who: str = "headrace"
    beside: str | None = None
    at_most: bool = False

    def values(self, entries: Sequence[Entry]) -> list[float]:
        """Round by round; none if it was not measured."""
        ours, theirs = by_round(entries, self.who, self.figure), by_round(entries, self.beside, self.figure)
        if self.beside is None:
            return [ours[number] for number in sorted(ours)]
        return [ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys()) if theirs[number]]

    def holds(self, values: Sequence[float]) -> bool:
        return (operator.le if self.at_most else operator.ge)(statistics.median(values), self.bound)


def by_round(entries: Sequence[Entry], who: str | None, figure: str) -> dict[int, float]:
    if not entries or who is None:
        return {}
    peer, _, broker = who.partition("@")
    broker = broker or entries[0]["broker"]
    return {e["round"]: e[figure] for e in entries if (e["peer"], e["broker"]) == (peer, broker) and figure in e}


def aims() -> Iterator[Aim]:
    for workload, bound in BESIDE_KAFKA_STREAMS.items():
        yield Aim("rate beside Kafka Streams", workload, bound, beside="kafka-streams")
    yield Aim(
        "rate beside Kafka Streams' record cache",
        "window_count_collapsed",
        1.4,
        who="headrace-collapsed",
        beside="kafka-streams-cached",
    )
    for workload in JOBS:
        yield Aim("CPU beside Kafka Streams", workload, 1.0, "app_cpu_us", beside="kafka-streams", at_most=True)
    for workload, bound in BESIDE_PYTHON.items():
        for peer in PYTHON_PEERS:
            yield Aim(f"rate beside {peer}", workload, bound, beside=peer)
    for workload, bound in BESIDE_THE_FLOOR.items():
        yield Aim("rate beside the floor program", workload, bound, beside="floor")
    for workload in FIRST_FOUR:
        yield Aim(
            "exactly once each 100 ms, of at least once", workload, 0.9, who="headrace-exactly-once", beside="headrace"
        )
        yield Aim(
            "exactly once each second, of at least once",
            workload,
            0.97,
            who="headrace-exactly-once-1s",
            beside="headrace",
        )
        yield Aim(
            "CPU of two processes, of one", workload, 1.15, "app_cpu_us", "headrace-2-processes", "headrace", True
        )
    yield Aim("first output, s", "filter_map", 1.0, "first_output_s", at_most=True)
    yield Aim("memory, MB", "window_count_100k", 200.0, "memory_mb", at_most=True)
    for workload in JOBS:
        yield Aim(
            "rate on the bundled broker, of Apache Kafka",
            workload,
            0.9,
            who="headrace@bundled",
            beside="headrace@kafka",
        )


def judged(results: Results) -> str:
    """A table of all aims that were measured, and below it how many were not."""
    lines = ["| workload | figure | is | meant to be | |", "|---|---|---|---|---|"]
    unknown: Counter[str] = Counter()
    found = sorted(aims(), key=lambda aim: order(aim.workload))
    for aim in found:
        values = aim.values([entry for entry in results.of("runs") if entry["workload"] == aim.workload])
        lines += row(aim, title(aim.workload), values, unknown)
    seconds = [
        entry | {"rate": entry["keys"] / entry["seconds"]} for entry in results.of("restore") if "seconds" in entry
    ]
    restoring = Aim("rate beside Kafka Streams", "restore", 0.7, beside="kafka-streams")
    lines += row(restoring, "W8 restoration of state", restoring.values(seconds), unknown)
    missing = "; ".join(f"{text} ({number})" for text, number in unknown.items())
    return "\n".join(lines) + (f"\n\nNot measured: {missing}." if missing else "") + "\n"


def row(aim: Aim, name: str, values: Sequence[float], unknown: Counter[str]) -> list[str]:
    if not values:
        unknown[aim.text] += 1
        return []
    bound = f"{'≤' if aim.at_most else '≥'} {aim.bound:g}"
    return [f"| {name} | {aim.text} | {spread(values, '.2f')} | {bound} | {'' if aim.holds(values) else '**no**'} |"]
