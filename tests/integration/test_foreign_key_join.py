"""Foreign-key joins on the bundled broker: four partitions on the left, three on the right, crashes in the middle."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from streams import App, F, count, tumbling
from streams.partitioner import partition_for_key
from streams.plan.task_id import TaskId
from tests.cluster import Cluster
from tests.streams.runtime.bench import Bench, RunningWorker, until

DAY_MS = 86_400_000


@pytest.fixture
def bench(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(cluster.bootstrap_servers, tmp_path, request.node.name) as ready:
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


@pytest.mark.parametrize("late", ["right", "left"])
def test_foreign_key_join_task_that_starts_late_brings_nothing_late(bench: Bench, late: str) -> None:
    """Through two internal topics, a repartition, and into days with little grace: all but one task have finished
    when that one begins with the first day."""
    bench.topics(orders=4, customers=3)
    app = App(bench.tag)
    orders = app.table(bench.name("orders"), key=str, value=dict)
    customers = app.table(bench.name("customers"), key=str, value=str)
    (
        orders.join(customers, lambda order, name: {"name": name}, foreign_key=F["customer"], value=dict, name="named")
        .to_stream()
        .group_by(F["name"])
        .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
        .aggregate(n=count(), store="daily")
    )
    people = [f"c{i}" for i in range(6)]
    bench.produce("customers", *((person, person.encode(), 1) for person in people))
    placed: Counter[TaskId] = Counter()
    left, right = range(2)
    for partition in range(4):
        rows: list[tuple[str, bytes, int]] = []
        for day in range(1, 21):
            for i in range(10 * (partition + 1)):
                person = people[i % len(people)]
                placed[TaskId(left, partition)] += 1
                placed[TaskId(right, partition_for_key(person.encode(), 3))] += 1
                at = day * DAY_MS + i * 1000
                rows.append((f"{partition}-{day}-{i}", json.dumps({"customer": person}).encode(), at))
        bench.produce("orders", *rows, partition=partition)
    total = sum(placed[TaskId(left, partition)] for partition in range(4))
    plan = bench.partition_plan(app, orders=4, customers=3)
    assert {source.topic for source in plan.plan.subtopologies[right].sources} >= {bench.name("customers")}
    straggler = TaskId(right, 2) if late == "right" else TaskId(left, 3)
    people_there = sum(partition_for_key(person.encode(), 3) == 2 for person in people)
    assert placed[straggler] > 0
    ways = 3 * (total - placed[straggler])  # subscriptions, responses, and what is counted
    first = 6 + total - placed[straggler] + ways
    if late == "right":
        first += placed[straggler] - people_there
    options = {"run_records": 5, "poll_records": 10, "watermark_interval_ms": 1, "watermark_idle_timeout_ms": 20}
    one = bench.run(app, *(task for task in plan.tasks if task != straggler), directory="one", **options)
    until(lambda: one.processed() == first, "all but one task to finish")
    two = bench.run(app, straggler, directory="two", **options)
    until(lambda: one.processed() + two.processed() == 6 + 4 * total, "all records on all ways")
    dropped = one.worker.counters()["dropped_late"] + two.worker.counters()["dropped_late"]
    one.stop()
    two.stop()
    assert dropped == 0
