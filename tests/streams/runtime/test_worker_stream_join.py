"""A join of streams in running workers: four partitions, one side through a repartition topic, a crash, a move."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec

from streams import App, Json, join_window
from tests.streams.runtime.bench import Bench, until

WINDOWS = join_window(timedelta(milliseconds=20), timedelta(milliseconds=30), grace=timedelta(milliseconds=10))
END = 1_000_000
PARTITIONS = 4


def matching(bench: Bench) -> App:
    app = App(bench.name("app"))
    orders = app.stream(bench.name("orders"), key=str, value=Json()).select_key(lambda k, v: v["key"])
    payments = app.stream(bench.name("payments"), key=str, value=Json())
    joined = orders.outer_join(payments, lambda a, b: [a and a["at"], b and b["at"]], windows=WINDOWS, value=Json())
    joined.to(bench.name("out"))
    return app


Row = tuple[str, int]
"""(key, time) of a record."""


def sent(seed: int, start: int) -> list[Row]:
    """In order of time; few share a time, so that times tell records apart."""
    chance = random.Random(seed)
    return [(f"k{chance.randrange(12)}", start + 7 * place + chance.randrange(7)) for place in range(200)]


def produce(bench: Bench, topic: str, rows: list[Row], keyed: bool) -> None:
    """With `keyed` by their key, else by a key that says nothing of it."""
    bench.produce(
        topic,
        *((key if keyed else str(at), msgspec.json.encode({"key": key, "at": at}), at) for key, at in rows),
    )


def batch_answer(orders: list[Row], payments: list[Row]) -> Counter[tuple[Any, ...]]:
    pairs = [
        (order, payment)
        for order in orders
        for payment in payments
        if order[0] == payment[0] and order[1] - 20 <= payment[1] <= order[1] + 30
    ]
    results: list[tuple[Any, ...]] = [(a[0], a[1], b[1], max(a[1], b[1])) for a, b in pairs]
    results += [(key, at, None, at) for key, at in orders if not any((key, at) == a for a, _ in pairs)]
    results += [(key, None, at, at) for key, at in payments if not any((key, at) == b for _, b in pairs)]
    return Counter(results)


def results(bench: Bench) -> Counter[tuple[Any, ...]]:
    read = [(m.key().decode(), *msgspec.json.decode(m.value()), m.timestamp()[1]) for m in bench.read("out")]
    return Counter(row for row in read if row[-1] < END)


def test_worker_outer_join_after_a_crash_and_a_move_gives_the_batch_answer(bench: Bench) -> None:
    """Exactly once: every pair and every record that met none, each one time."""
    bench.topics(orders=PARTITIONS, payments=PARTITIONS, out=PARTITIONS)
    early, late = (sent(1, 1_000), sent(2, 1_000)), (sent(3, 3_000), sent(4, 3_000))
    for (orders, payments), again in ((early, False), (late, True)):
        produce(bench, "orders", orders, keyed=False)
        produce(bench, "payments", payments, keyed=True)
        if not again:
            first = bench.run_in_group(matching(bench))
            until(lambda: results(bench), "committed results")
            first.crash()
    for partition in range(PARTITIONS):
        bench.produce("orders", ("end", msgspec.json.encode({"key": "end", "at": END}), END), partition=partition)
        bench.produce("payments", ("end", msgspec.json.encode({"key": "end", "at": END}), END), partition=partition)
    second = bench.run_in_group(matching(bench), directory="elsewhere")
    expected = batch_answer(early[0] + late[0], early[1] + late[1])
    until(lambda: results(bench).total() >= expected.total(), "all results")
    assert sum(second.heard.restored.values()) > 0, "nothing was restored"
    second.stop()
    assert results(bench) == expected
