"""One run of every aggregation on a real log, in which workers come and go, against the oracles.

Records lie in four partitions in the order in which they were written; a record's place in that order is its value.
None is later than the grace by that order. So whatever order the tasks read in, each window must have all its records.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streams import App, F, Json, Windowed, calendar, hopping, session, sliding, tumbling, unlimited
from streams.serde import Serde
from tests.streams.runtime.bench import Bench, RunningWorker, until
from tests.streams.tables.oracle import Aggregate, Update, table_oracle
from tests.streams.windows.oracles import Record, merged, sliding_windows

MS = timedelta(milliseconds=1)
PARTITIONS = 4
GRACE_MS = 400
STEP_MS = 40
HOUR_MS = 3_600_000
END = 10**12
"""When the last records come, which close all windows before."""
FOREVER = 2**63 - 1

WINDOWS: dict[str, Any] = {
    "tumbling": tumbling(1_000 * MS, grace=GRACE_MS * MS),
    "hopping": hopping(1_000 * MS, 400 * MS, grace=GRACE_MS * MS, offset=150 * MS),
    "sliding": sliding(300 * MS, grace=GRACE_MS * MS),
    "session": session(120 * MS, grace=GRACE_MS * MS),
    "calendar": calendar("day", tz="Europe/Berlin", grace=GRACE_MS * MS),
    "unlimited": unlimited(start=2_000),
}
SUMS = Aggregate(lambda k, v: [1, v], lambda k, v, a: [a[0] + 1, a[1] + v], lambda k, v, a: [a[0] - 1, a[1] - v])
Rows = dict[tuple[str, int, int], list[int]]
"""By key and window: the places of its records."""


def put_in(key: str, value: Any, aggregate: list[int]) -> list[int]:
    aggregate.append(value["n"])
    return aggregate


def join(one: list[int], other: list[int]) -> list[int]:
    one.extend(other)
    return one


@dataclass(frozen=True)
class Job:
    """The topology, and how the keys of its outputs are written."""

    app: App
    keys: dict[str, Serde]


def declare(bench: Bench) -> Job:
    """Every kind of windows, with each update and at the close, and a grouped table."""
    app = App(bench.tag)
    grouped = app.stream(bench.name("in"), key=str, value=Json()).group_by(F.k, key=str, name="by-k")
    keys: dict[str, Serde] = {}
    for name, windows in WINDOWS.items():
        merger: dict[str, Any] = {"merger": join} if name == "session" else {}
        for emit in ("update", "close") if name != "unlimited" else ("update",):
            out = f"{name}-{emit}"
            table = grouped.windowed_by(windows, emit=emit).aggregate(list, put_in, value=Json(), store=out, **merger)
            keys[out] = table.node.schema.key_serde()
            table.to_stream().to(bench.name(out))
    rows = app.table(bench.name("rows"), key=str, value=Json())
    groups = rows.group_by(lambda k, v: (v[0], v[1]), key=str, value=int)
    groups.aggregate(
        lambda: [0, 0], lambda k, v, a: [a[0] + 1, a[1] + v], lambda k, v, a: [a[0] - 1, a[1] - v], value=Json(),
        store="sums",
    ).to_stream().to(bench.name("sums"))  # fmt: skip
    return Job(app, keys)


@dataclass(frozen=True)
class Input:
    records: list[Record]
    updates: list[Update]
    places: list[int]
    """The partition of each record."""


def make_input(seed: int, count: int) -> Input:
    draw = random.Random(seed)
    now, records, updates = 1_000, list[Record](), list[Update]()
    for _ in range(count):
        now += draw.choice((0, 1, STEP_MS, STEP_MS, 2 * STEP_MS)) if draw.random() < 0.98 else 2_000
        if draw.random() < 0.004:
            now += 20 * HOUR_MS
        records.append(Record(f"k{draw.randrange(6)}", now - draw.randint(0, GRACE_MS)))
        value = None if draw.random() < 0.2 else (f"g{draw.randrange(3)}", draw.randrange(100))
        updates.append(Update(f"r{draw.randrange(12)}", value, now))
    newest = -1
    for place, record in enumerate(records):  # what jumped ahead may have left others behind
        newest = max(newest, record.ts)
        if record.ts < newest - GRACE_MS:
            records[place] = Record(record.key, newest - GRACE_MS)
    return Input(records, updates, [draw.randrange(PARTITIONS) for _ in records])


def write(bench: Bench, job: Input, first: int, last: int) -> None:
    for place in range(first, last):
        (key, ts), update = job.records[place], job.updates[place]
        value = json.dumps({"k": key, "n": place}).encode()
        bench.produce_one("in", ("any", value, ts), partition=job.places[place])
        row = None if update.value is None else json.dumps(update.value).encode()
        bench.produce_one("rows", (update.key, row, update.ts))
    bench.flush()


def close_all(bench: Bench) -> None:
    """Time moves on in every partition, before and behind the repartition, which closes all windows before."""
    for partition in range(PARTITIONS):
        for number in range(16):
            value = json.dumps({"k": f"end{number}", "n": -1}).encode()
            bench.produce_one("in", ("any", value, END), partition=partition)
    bench.flush()


def run(bench: Bench, seed: int, count: int) -> list[str]:
    """What differs from the oracles after a run in which workers stop, start and join: nothing, it is hoped."""
    given, job = make_input(seed, count), declare(bench)
    topics = [*job.keys, "sums"]
    bench.topics(**dict.fromkeys(("in", "rows", *topics), PARTITIONS))
    small: dict[str, Any] = {"run_records": 20, "poll_records": 50}
    parts = [count * i // 4 for i in range(5)]

    def seen(*workers: RunningWorker) -> int:
        return sum(worker.processed() for worker in workers)

    write(bench, given, 0, parts[1])
    first = bench.run_in_group(job.app, directory="one", **small)
    until(lambda: seen(first) > parts[1] // 2, "the first worker to be at work")
    write(bench, given, parts[1], parts[2])
    first.stop()
    again = bench.run_in_group(job.app, directory="one", **small)
    until(lambda: seen(again) > parts[1] // 2, "the worker to be at work again")
    second = bench.run_in_group(job.app, directory="two", **small)
    until(second.running, "the second worker to have tasks")
    write(bench, given, parts[2], parts[3])
    until(lambda: seen(second) > 20, "the second worker to be at work")
    again.stop()  # what it had goes to the second, whose directory knows nothing of it
    write(bench, given, parts[3], parts[4])
    close_all(bench)
    finals = [name for name in job.keys if name.endswith("-close")]
    wanted = expected(given)

    sums = table_oracle(given.updates, SUMS)

    def complete() -> bool:
        written = bench.read_each(*finals, "sums")
        if len(written["sums"]) < len(sums):
            return False
        return all(len(rows_of(job.keys[name], written[name])) >= len(wanted[name]) for name in finals)

    until(complete, "all windows and sums to come out", 40.0)
    second.stop()
    written = bench.read_each(*topics)
    found = differences(job, written, wanted)
    rows = {message.key().decode(): json.loads(message.value()) for message in written["sums"]}
    found += [
        f"sums {group}: {rows.get(group)} instead of {right}"
        for group, right in {group: aggregate for group, aggregate, _ in sums}.items()
        if rows.get(group) != right
    ]
    late = sum(worker.worker.counters()["dropped_late"] for worker in (first, again, second))
    return found + ([f"{late} records were late"] if late else [])


def expected(given: Input) -> dict[str, Rows]:
    """By topic, from the rules alone; the windows of the last records, which only move time, are left out."""
    rows: dict[str, Rows] = {}
    for name, windows in WINDOWS.items():
        if name == "session":
            rows[name] = merged(windows.gap_ms, given.records)
        elif name == "sliding":
            defined = sliding_windows(windows.difference_ms, given.records)
            rows[name] = {(k, s, s + windows.difference_ms): members for (k, s), (members, _) in defined.items()}
        else:
            bounds = BOUNDS[name]
            members = defaultdict[tuple[str, int, int], list[int]](list)
            for place, (key, ts) in enumerate(given.records):
                for start, end in bounds(ts):
                    members[key, start, end].append(place)
            rows[name] = dict(members)
    return {f"{name}-{emit}": found for name, found in rows.items() for emit in ("update", "close")}


def _steps(size: int, advance: int, offset: int, ts: int) -> list[tuple[int, int]]:
    starts = range(offset, ts + 1, advance)
    return [(start, start + size) for start in starts if ts < start + size]


def _berlin_days(ts: int) -> list[tuple[int, int]]:
    """In January 1970, an hour ahead of UTC; the first day begins with the epoch."""
    day = (ts + HOUR_MS) // (24 * HOUR_MS)
    return [(max(day * 24 * HOUR_MS - HOUR_MS, 0), (day + 1) * 24 * HOUR_MS - HOUR_MS)]


BOUNDS: dict[str, Callable[[int], list[tuple[int, int]]]] = {
    "tumbling": lambda ts: [(ts // 1_000 * 1_000, ts // 1_000 * 1_000 + 1_000)],
    "hopping": lambda ts: [
        (start, start + 1_000)
        for start in range((ts - 150) // 400 * 400 + 150, max(ts - 1_000, -1), -400)
        if start >= 150
    ],
    "calendar": _berlin_days,
    "unlimited": lambda ts: [(2_000, FOREVER)] if ts >= 2_000 else [],
}


def rows_of(keys: Serde, written: list[Any]) -> dict[tuple[str, int, int], list[list[int]]]:
    """By key and window, all that came out for it; a deletion takes away what was there before."""
    found = defaultdict[tuple[str, int, int], list[list[int]]](list)
    for message in written:
        key: Windowed[str] = keys.deserialize(message.key())
        if key.key.startswith("end"):
            continue
        if message.value() is None:
            del found[key.key, key.start, key.end]
        else:
            found[key.key, key.start, key.end].append(sorted(json.loads(message.value())))
    return dict(found)


def differences(job: Job, written: dict[str, list[Any]], wanted: dict[str, Rows]) -> list[str]:
    found: list[str] = []
    for name, keys in job.keys.items():
        rows = rows_of(keys, written[name])
        for window in sorted(rows.keys() | wanted[name].keys()):
            results, right = rows.get(window, []), wanted[name].get(window)
            if right is None or not results or results[-1] != right or (name.endswith("close") and len(results) > 1):
                found.append(f"{name} {window}: {results[-2:]} instead of {right}")
    return found
