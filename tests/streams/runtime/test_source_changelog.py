"""A source topic that is its table's changelog, on a running worker."""

from __future__ import annotations

from typing import Any

import pytest

from streams import App
from streams.plan.task_id import TaskId
from tests.streams.runtime.bench import Bench, until

TASK = TaskId(0, 0)


def joining(bench: Bench) -> App:
    app = App(bench.tag, topology_optimization="reuse_ktable_source_topics")
    prices = app.table(bench.name("prices"), key=str, value=int, store="prices")
    sales = app.stream(bench.name("sales"), key=str, value=int)
    sales.join(prices, lambda n, price: n * price, value=int).to(bench.name("out"))
    return app


def prices(*values: int) -> list[tuple[str, bytes, int]]:
    return [(f"k{n % 3}", value.to_bytes(8, "big"), 1 + n) for n, value in enumerate(values)]


@pytest.mark.parametrize("directory", ["state", "elsewhere"])
@pytest.mark.parametrize("crash", [False, True])
def test_worker_restores_a_table_from_its_source_up_to_the_committed_offset(
    bench: Bench, directory: str, crash: bool
) -> None:
    """What came to the topic since is read as input, once, with what it replaces in place."""
    bench.topics(prices=1, sales=1, out=1)
    bench.produce("prices", *prices(*range(1, 21)))
    first = bench.run(joining(bench), TASK)
    until(lambda: first.processed() == 20, "all prices")
    prices_read = (bench.name("prices"), 0)  # an earlier commit may be of the empty input alone
    until(lambda: prices_read in bench.offsets and bench.offsets[prices_read].offset == 20, "the commit of all")
    if crash:
        first.crash()
    else:
        first.stop()
    bench.produce("prices", ("k0", (100).to_bytes(8, "big"), 50))
    again = bench.run(joining(bench), TASK, directory=directory)
    until(lambda: again.processed() == 1, "the price that is new")
    bench.produce("sales", *((f"k{n}", (2).to_bytes(8, "big"), 60 + n) for n in range(3)))
    until(lambda: again.processed() == 4, "all sales")
    again.stop()
    read = again.heard.restored.get((TASK, "prices"), 0)
    assert read == (20 if directory == "elsewhere" else 0)
    assert {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()} == {
        "k0": 200, "k1": 40, "k2": 36
    }  # fmt: skip
    known: Any = bench.admin.list_topics(timeout=10).topics
    assert f"{bench.tag}-prices-changelog" not in known
    assert len(bench.read("prices")) == 21


def test_worker_without_a_committed_offset_restores_nothing_from_the_source(bench: Bench) -> None:
    bench.topics(prices=1, sales=1, out=1)
    bench.produce("prices", *prices(1, 2, 3))
    worker = bench.run(joining(bench), TASK)
    until(lambda: worker.processed() == 3, "all prices")
    worker.stop()
    assert worker.heard.restored.get((TASK, "prices"), 0) == 0


def test_worker_does_not_restore_a_source_beyond_what_it_has_read(bench: Bench) -> None:
    """Rows of records that are still to be read would be told as the values that those records replace."""
    bench.topics(prices=1, out=1)
    app = App(bench.tag, topology_optimization="all")
    table = app.table(bench.name("prices"), key=str, value=int)
    by_key = table.group_by(lambda key, price: ("all", price), key=str, value=int)
    by_key.reduce(lambda total, price: total + price, lambda total, price: total - price).to_stream().to(
        bench.name("out"), value=int
    )
    tasks = bench.partition_plan(app, prices=1).tasks
    bench.produce("prices", *prices(1, 2, 3))
    first = bench.run(app, *tasks)
    until(lambda: first.processed() == 6, "three changes on both sides")
    first.stop()
    bench.produce("prices", *prices(10, 20, 30))
    again = bench.run(app, *tasks, directory="elsewhere")
    until(lambda: again.processed() == 6, "three more")
    again.stop()
    assert [int.from_bytes(message.value(), "big") for message in bench.read("out")][-1] == 60


@pytest.mark.parametrize("directory", ["state", "elsewhere"])
def test_worker_with_exactly_once_restores_a_table_from_its_source_after_a_crash(bench: Bench, directory: str) -> None:
    """The position of the rows is the input's offset of the last transaction that was committed."""
    bench.topics(prices=2, sales=2, out=2)
    for partition in range(2):
        records = [(f"{partition}{key}", value, ts) for key, value, ts in prices(*range(1, 21))]
        bench.produce("prices", *records, partition=partition)
    first = bench.run_in_group(joining(bench), session_timeout_ms=6_000)
    until(lambda: first.processed() == 40, "all prices")
    until(lambda: first.heard.commits > 0, "a commit")
    first.crash()
    for partition in range(2):
        bench.produce("prices", (f"{partition}k0", (100).to_bytes(8, "big"), 50), partition=partition)
        sales = [(f"{partition}k{n}", (2).to_bytes(8, "big"), 60 + n) for n in range(3)]
        bench.produce("sales", *sales, partition=partition)
    again = bench.run_in_group(joining(bench), directory=directory, session_timeout_ms=6_000)
    until(lambda: again.error or len(bench.latest("out")) == 6, "all sales")
    again.stop()
    found = {key[1:]: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()}
    assert found == {"k0": 200, "k1": 40, "k2": 36}
    assert f"{bench.tag}-prices-changelog" not in bench.admin.list_topics(timeout=10).topics
