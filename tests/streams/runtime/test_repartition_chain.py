"""Time through a chain of two repartitions: a replay whose partitions lie far apart gives the batch answer.

    in (4) ── by shop ──► days per shop, final ── by region ──► weeks per region, final ──► out

Final results of days come out long after the records that made them, so the second topic's watermark has to wait for
them: hold-back. Input is out of order, but within grace.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any, Literal

import pytest

from streams import App, F, KTable, hopping, tumbling, until_window_closes
from streams.partitioner import partition_for_key
from tests.streams.runtime.bench import Bench, until

HOUR = 3_600_000
DAY = 24 * HOUR
REGIONS = "acdf"
SHOPS = [f"{region}{number}" for region in REGIONS for number in range(6)]
BEGAN = 2_000 * 7 * DAY
DAYS = 21
GRACE = timedelta(days=5)
"""Much longer than records are late: so long days come out behind the records that are read then."""
Final = Literal["close", "suppress"]


def final(how: Final, windowed: Any, aggregate: Any, store: str) -> KTable[Any, Any]:
    """A windowed aggregate's final results, by either way to them."""
    table = aggregate(windowed(emit="close" if how == "close" else "update"), store)
    return table if how == "close" else table.suppress(until_window_closes())


def add(key: str, value: int, total: int) -> int:
    return total + value


def chain(bench: Bench, first: Final, second: Final) -> App:
    app = App(bench.tag)
    by_shop = app.stream(bench.name("in"), key=str, value=dict, timestamp=F["ts"]).group_by(F["shop"])
    days = final(
        first,
        lambda **emit: by_shop.windowed_by(tumbling(timedelta(days=1), grace=GRACE), **emit),
        lambda windows, store: windows.count(store=store),
        "days",
    )
    by_region = days.to_stream().group_by(lambda key, n: key.key[0], key=str, value=int)
    weeks = final(
        second,
        lambda **emit: by_region.windowed_by(hopping(timedelta(days=7), timedelta(days=7), grace=timedelta(0)), **emit),
        lambda windows, store: windows.aggregate(int, add, value=int, store=store),
        "weeks",
    )
    weeks.to_stream().map(lambda key, n: (f"{key.key}@{key.start // (7 * DAY)}", n), key=str, value=int).to(
        bench.name("out")
    )
    return app


def history(partition: int) -> list[tuple[str, int]]:
    """(shop, time) of one partition: in order but for some that are late by less than the grace; then two rounds of
    records far later, which close what is open: the days, then the weeks."""
    choose = random.Random(partition)
    found: list[tuple[str, int]] = []
    for at in range(BEGAN, BEGAN + DAYS * DAY, HOUR // 2 * (partition + 1)):
        found.append((choose.choice(SHOPS), max(at - choose.randrange(4 * DAY), BEGAN)))
    return found + [(shop, BEGAN + day * DAY) for day in (DAYS + 21, DAYS + 42) for shop in SHOPS]


def batch_answer() -> dict[str, int]:
    weeks: Counter[str] = Counter()
    for partition in range(4):
        for shop, ts in history(partition):
            if ts < BEGAN + DAYS * DAY:
                weeks[f"{shop[0]}@{ts // (7 * DAY)}"] += 1
    return dict(weeks)


def produce(bench: Bench, *, second_half: bool) -> int:
    """Sends a half of each partition's records; how many that is."""
    total = 0
    for partition in range(4):
        records = history(partition)
        half = len(records) // 2
        records = records[half:] if second_half else records[:half]
        total += len(records)
        bench.produce(
            "in",
            *(("x", json.dumps({"shop": shop, "ts": ts}).encode(), 0) for shop, ts in records),
            partition=partition,
        )
    return total


def results(bench: Bench) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for message in bench.read("out"):
        key = message.key().decode()
        if int(key.split("@")[1]) * 7 * DAY < BEGAN + DAYS * DAY:
            found[key].append(int.from_bytes(message.value(), "big"))
    return found


def test_every_task_of_both_topics_gets_records() -> None:
    """Else a task that has heard nothing would hold time back for all, and the tests below would wait for idleness."""
    for keys in (SHOPS, list(REGIONS)):
        assert {partition_for_key(key.encode(), 4) for key in keys} == set(range(4))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("first", "second"), [("close", "suppress"), ("suppress", "close")])
def test_chain_of_repartitions_gives_the_batch_answer(bench: Bench, first: Final, second: Final, workers: int) -> None:
    """Each week once, nothing within grace dropped. In the middle a worker crashes and comes back; of two workers one
    then leaves, and its tasks move to the other, which has to restore their state."""
    bench.topics(**{"in": 4, "out": 4})
    app = chain(bench, first, second)
    half = produce(bench, second_half=False)
    small = {"run_records": 10, "poll_records": 20, "watermark_interval_ms": 1}  # time is told often
    running = [bench.run_in_group(app, directory=f"worker {place}", **small) for place in range(workers)]
    until(lambda: all(worker.running() for worker in running), "all workers to have tasks")
    until(lambda: sum(worker.processed() for worker in running) > half // 2, "some of the work")
    running[0].crash()
    back = bench.run_in_group(app, directory="worker 0", **small)
    until(back.running, "the tasks of the worker that is back")
    produce(bench, second_half=True)
    if workers == 2:
        running[1].stop()
    expected = {key: [count] for key, count in batch_answer().items()}
    until(lambda: back.error or len(results(bench)) == len(expected), "all weeks")
    back.stop()
    assert results(bench) == expected
    assert sum(worker.worker.counters()["dropped_late"] for worker in [*running, back]) == 0


def test_changes_held_for_the_commit_are_not_overtaken_by_the_time_of_later_records(bench: Bench) -> None:
    """A table that forwards at the commit forwards old records then: those behind it must not be told before that how
    far its input is."""
    bench.topics(**{"in": 4, "out": 4})
    app = App(bench.tag, emit_updates="commit")
    orders = app.stream(bench.name("in"), key=str, value=dict, timestamp=F["ts"]).group_by_key().reduce(lambda a, v: v)
    by_shop = orders.to_stream().group_by(F["shop"])
    days = by_shop.windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1))).count(store="days")
    days.to_stream().map(lambda key, n: (f"{key.key}@{key.start}", n), key=str, value=int).to(bench.name("out"))
    expected: Counter[str] = Counter()
    for partition in range(4):
        records = [(SHOPS[n % len(SHOPS)], BEGAN + n * (partition + 1) * HOUR // 2) for n in range(1000)]
        expected.update(f"{shop}@{ts // DAY * DAY}" for shop, ts in records)
        bench.produce(
            "in",
            *((f"{partition}-{n}", json.dumps({"shop": r[0], "ts": r[1]}).encode(), 0) for n, r in enumerate(records)),
            partition=partition,
        )
    worker = bench.run_in_group(
        app, run_records=10, poll_records=20, watermark_interval_ms=1, commit_interval_ms=300, max_dirty_bytes=1 << 30
    )
    until(lambda: worker.processed() == 8000, "all records on both sides")
    worker.stop()
    latest = {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()}
    assert worker.worker.counters()["dropped_late"] == 0
    assert latest == expected
