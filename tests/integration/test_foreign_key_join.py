"""Foreign-key joins on the bundled broker: four partitions on the left, three on the right, crashes in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from broker import Broker
from streams import App, F, count, tumbling
from tests.streams.runtime.bench import Bench, RunningWorker, until

DAY_MS = 86_400_000


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Broker() as broker, Bench(broker.bootstrap_servers, tmp_path, request.node.name) as ready:
        yield ready


class Tables:
    """Random changes of both tables, and what they leave."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self._bench, self._random, self._time = bench, Random(seed), 0
        self.orders: dict[str, str | None] = {}
        self.customers: dict[str, str] = {}

    def change(self, count: int) -> None:
        for _ in range(count):
            self._time += 1
            if self._random.random() < 0.6:
                key, customer = f"o{self._random.randrange(80)}", f"c{self._random.randrange(25)}"
                order = self._random.choice([customer, customer, customer, None, "gone"])
                self.orders.pop(key, None)
                if order != "gone":
                    self.orders[key] = order
                value = None if order == "gone" else json.dumps({"customer": order}).encode()
                self._bench.produce("orders", (key, value, self._time))
            else:
                key, there = f"c{self._random.randrange(25)}", self._random.random() < 0.8
                self.customers.pop(key, None)
                if there:
                    self.customers[key] = f"{key}-{self._time}"
                self._bench.produce("customers", (key, self.customers[key].encode() if there else None, self._time))

    def joined(self, *, left: bool) -> dict[str, str]:
        return {
            key: f"{customer}:{self.customers.get(str(customer))}"
            for key, customer in self.orders.items()
            if left or customer in self.customers
        }


def shop(bench: Bench) -> App:
    app = App(bench.tag)
    orders = app.table(bench.name("orders"), key=str, value=dict)
    customers = app.table(bench.name("customers"), key=str, value=str)

    def told(order: dict[str, str | None], name: str | None) -> str:
        return f"{order['customer']}:{name}"

    inner = orders.join(customers, told, foreign_key=F["customer"], store="inner")
    left = orders.left_join(customers, told, foreign_key=F["customer"], store="left")
    inner.to_stream().to(bench.name("inner"))
    left.to_stream().to(bench.name("left"))
    return app


def results(bench: Bench, topic: str) -> dict[str, str]:
    return {key: value.decode() for key, value in bench.latest(topic).items() if value is not None}


def test_foreign_key_join_over_crashes_and_moves_ends_as_a_join_of_the_tables(bench: Bench) -> None:
    bench.topics(orders=4, customers=3, inner=2, left=2)
    tables, app = Tables(bench, seed=6), shop(bench)
    tasks = frozenset(bench.partition_plan(app, orders=4, customers=3).tasks)
    assert len(tasks) == 7

    def processing(worker: RunningWorker, first: int) -> None:
        """Until it has done some of the new changes, and surely not all of them."""
        before = worker.processed()
        tables.change(first)
        until(lambda: worker.processed() > before + first // 3, "a third of the changes")

    one = bench.run_in_group(app, directory="one", run_records=5, poll_records=20)
    until(lambda: one.running() == tasks, "all tasks")
    processing(one, 300)
    one.crash()
    two = bench.run_in_group(app, directory="one", run_records=5, poll_records=20)
    until(lambda: two.running() == tasks, "all tasks again")
    processing(two, 300)
    three = bench.run_in_group(app, directory="elsewhere")  # its tasks are restored from the changelogs
    until(lambda: three.running() and two.running() and two.running() | three.running() == tasks, "shared tasks")
    tables.change(300)
    until(lambda: results(bench, "inner") == tables.joined(left=False), "the inner join")
    until(lambda: results(bench, "left") == tables.joined(left=True), "the left join")
    for worker in (two, three):
        worker.stop()
    assert results(bench, "inner") == tables.joined(left=False)
    assert results(bench, "left") == tables.joined(left=True)


def test_foreign_key_join_of_a_replay_hands_time_on_so_that_nothing_is_late(bench: Bench) -> None:
    """Four partitions at very different times, two internal topics, then a repartition and days with little grace."""
    bench.topics(orders=4, customers=3)
    app = App(bench.tag)
    orders = app.table(bench.name("orders"), key=str, value=dict)
    customers = app.table(bench.name("customers"), key=str, value=str)
    (
        orders.join(customers, lambda order, name: {"name": name}, foreign_key=F["customer"], value=dict)
        .to_stream()
        .group_by(F["name"])
        .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
        .aggregate(n=count(), store="daily")
    )
    bench.produce("customers", *((f"c{i}", f"name{i % 3}".encode(), 0) for i in range(6)))
    days, per_day = 20, 20
    for partition in range(4):
        bench.produce(
            "orders",
            *(
                (f"{partition}-{d}-{i}", json.dumps({"customer": f"c{i % 6}"}).encode(), d * DAY_MS + i * 1000)
                for d in range(1, days + 1)
                for i in range(per_day * (partition + 1))
            ),
            partition=partition,
        )
    total = days * per_day * 10
    plan = bench.partition_plan(app, orders=4, customers=3)
    ids = [task.subtopology for task in plan.tasks]
    options = {"run_records": 200, "poll_records": 500, "watermark_idle_timeout_ms": 300}
    one = bench.run(app, *plan.tasks[::2], directory="one", **options)
    two = bench.run(app, *plan.tasks[1::2], directory="two", **options)
    assert len(set(ids)) == 3
    # orders, subscriptions, responses and what is counted
    expected = 6 + 4 * total
    until(lambda: one.processed() + two.processed() == expected, "all records on all ways")
    dropped = one.worker.counters()["dropped_late"] + two.worker.counters()["dropped_late"]
    one.stop()
    two.stop()
    assert dropped == 0
