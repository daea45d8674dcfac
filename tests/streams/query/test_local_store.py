"""`app.store`: reads in the process of the worker, of every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stores import Scan, StoreClosedError
from streams import (
    App,
    Json,
    Materialized,
    Processor,
    QueryError,
    Record,
    Stores,
    Windowed,
    calendar,
    count,
    mean,
    session,
    sliding,
    tumbling,
)
from streams.plan.task_id import TaskId
from streams.query.local_store import Partitions
from tests.cluster import any_cluster
from tests.stores.custom_stores import Board, SortedStore
from tests.streams.runtime.bench import Bench, Heard, RunningWorker, until
from tests.streams.runtime.scripted import ScriptedMembership

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NONE = timedelta(0)


@pytest.fixture(scope="module")
def bootstrap_servers() -> Iterator[str]:
    with any_cluster() as servers:
        yield servers


@pytest.fixture
def bench(bootstrap_servers: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(bootstrap_servers, tmp_path, request.node.name) as ready:
        yield ready


class Fills(Processor[str, int]):
    """Puts each record into every store it has."""

    def process(self, record: Record[str, int]) -> None:
        key, value, at = record.key, record.value, record.timestamp
        store: Any = self.context.store
        store("plain").put(key, value)
        store("stamped").put(key, (value, 7))
        store("windowed").put(key, value, at)
        store("sessions").put(Windowed(key, at, at + 5), value)
        store("versions").put(key, value, at)
        store("board").scored(key, value)


def declared(bench: Bench) -> App:
    app = App(bench.tag, bootstrap_servers=bench.bootstrap_servers, state_dir=bench.directory / "state")
    stream = app.stream(bench.name("in"), key=str, value=int)
    grouped = stream.group_by_key()
    grouped.count(store="counts")
    grouped.count(store=Materialized("mine", custom=SortedStore))
    grouped.aggregate(n=count(), average=mean(lambda v: v), store="named")
    grouped.windowed_by(tumbling(SECOND, grace=NONE)).count(store="seconds")
    grouped.windowed_by(sliding(SECOND, grace=NONE)).count(store="around")
    grouped.windowed_by(session(SECOND, grace=NONE)).aggregate(n=count(), store="visits")
    grouped.windowed_by(calendar("month", tz="Europe/Berlin", grace=NONE)).count(store="months")
    stores = [
        Stores.key_value("plain", value=int),
        Stores.timestamped_key_value("stamped", value=int),
        Stores.window("windowed", size=SECOND, retention=HOUR, value=int),
        Stores.session("sessions", retention=HOUR, value=int),
        Stores.versioned_key_value("versions", history_retention=HOUR, value=int),
        Stores.custom("board", Board),
    ]
    stream.process(Fills, stores=stores)
    app.global_table(bench.name("names"), key=str, value=Json(), store="names")
    app.add_global_store(Stores.key_value("rates", value=int), bench.name("rates"))
    return app


def start(bench: Bench, app: App, *partitions: int) -> RunningWorker:
    """A worker made by the app itself, which is how it knows of it."""
    membership = ScriptedMembership(bench.offsets)
    if partitions:
        membership.assign(*(TaskId(0, partition) for partition in partitions))
    worker = app.worker(processing_guarantee="at_least_once", query_port=None, commit_interval_ms=50)
    worker._make_membership = lambda *_: membership
    running = RunningWorker(worker, membership, Heard())
    bench._workers.append(running)
    return running


def test_every_kind_of_store_can_be_read_while_a_worker_runs(bench: Bench) -> None:
    bench.topics(**{"in": 2, "names": 2, "rates": 1})
    app = declared(bench)
    counts = app.store("counts")
    with pytest.raises(QueryError, match="no task of store 'counts' runs in this process") as raised:
        counts.get("a")
    assert raised.value.retriable
    bench.produce("names", ("x", b'"X"', 3), ("y", b'"Y"', 4))
    bench.produce("rates", ("EUR", (5).to_bytes(8, "big"), 3))
    running = start(bench, app, 0, 1)
    bench.produce("in", *[("a", (4).to_bytes(8, "big"), 1_000), ("a", (8).to_bytes(8, "big"), 1_500)], partition=0)
    bench.produce("in", ("b", (1).to_bytes(8, "big"), 2_500), partition=1)

    def ready() -> bool:
        running.running()
        try:
            return counts.get("a") == (2, 1500) and counts.get("b") == (1, 2500)
        except QueryError:
            return False

    until(ready, "the rows")
    assert counts.get("c") is None
    assert sorted(counts.all()) == [("a", (2, 1500)), ("b", (1, 2500))]
    assert list(counts.range("b", None)) == [("b", (1, 2500))]
    assert list(counts.prefix_scan("a")) == [("a", (2, 1500))]
    assert counts.approximate_num_entries() >= 2
    assert not hasattr(counts, "put")
    assert app.store("mine").get("a") == (2, 1500)
    assert (app.store("named").get("a").value.n, app.store("named").get("a").value.average) == (2, 6.0)
    seconds = app.store("seconds")
    assert list(seconds.fetch("a", 0, 10_000)) == [(1000, (2, 1500))]
    assert seconds.get("b", 2000) == (1, 2500)
    assert sorted(key for key, _ in seconds.all()) == [Windowed("a", 1000, 2000), Windowed("b", 2000, 3000)]
    assert [start for start, _ in app.store("around").fetch("a", 0, 10_000)] == [0, 500, 1001]
    (month, (months, _)), *_ = sorted(app.store("months").all())
    assert (month, months) == (Windowed("a", 0, 31 * 86_400_000 - 3_600_000), 2)
    (visit, value), *_ = app.store("visits").fetch("a")
    assert (visit, value.n) == (Windowed("a", 1000, 1500), 2)
    assert app.store("plain").get("a") == 8
    assert app.store("stamped").get("a") == (8, 7)
    assert list(app.store("windowed").fetch("a", 0, 10_000)) == [(1000, 4), (1500, 8)]
    assert list(app.store("sessions").find_sessions("a", 0, 10_000)) == [
        (Windowed("a", 1000, 1005), 4),
        (Windowed("a", 1500, 1505), 8),
    ]
    versions = app.store("versions")
    assert (versions.get("a").value, versions.as_of("a", 1_200).value, versions.as_of("a", 1)) == (8, 4, None)
    assert [(v.value, v.valid_to) for v in versions.versions("a", 0, 9_999)] == [(4, 1500), (8, -1)]
    assert app.store("board").get(b"a") == b"8"
    assert sorted(app.store("names").all()) == [("x", ("X", 3)), ("y", ("Y", 4))]
    assert app.store("rates").get("EUR") == 5
    running.stop()
    with pytest.raises(QueryError, match="runs in this process"):
        counts.get("a")


def test_store_of_a_part_of_the_tasks_has_these_partitions(bench: Bench) -> None:
    bench.topics(**{"in": 2, "names": 1, "rates": 1})
    app = declared(bench)
    running = start(bench, app, 1)
    bench.produce("in", ("a", (4).to_bytes(8, "big"), 1_000), partition=0)
    bench.produce("in", ("b", (4).to_bytes(8, "big"), 1_000), partition=1)
    counts = app.store("counts")

    def ready() -> bool:
        running.running()
        try:
            return counts.get("b") is not None
        except QueryError:
            return False

    until(ready, "the row")
    assert [key for key, _ in counts.all()] == ["b"]
    assert counts.get("a") is None
    running.stop()


def test_unknown_store_is_told_with_those_there_are(bench: Bench) -> None:
    app = App("app")
    app.stream("in").group_by_key().count(store="counts")
    app.global_table("g", store="everywhere")
    with pytest.raises(QueryError, match="no store 'count'; the topology has: counts, everywhere"):
        app.store("count")


class Leaves:
    """A reader whose partition goes to another worker in the midst of a scan."""

    def get(self, key: bytes) -> Any:
        raise StoreClosedError("0_0")

    def all(self, *, reverse: bool = False) -> Scan[Any]:
        def rows() -> Iterator[Any]:
            yield b"k", (1, 1)
            raise StoreClosedError("0_0")

        return Scan(rows())

    def range(self, start: bytes | None, end: bytes | None, *, reverse: bool = False) -> Scan[Any]:
        raise StoreClosedError("0_0")


def test_partition_that_goes_during_a_read_is_a_retriable_error() -> None:
    partitions = Partitions("s", lambda: [Leaves()])  # type: ignore[list-item]
    for read in (lambda: partitions.get(b"k"), lambda: list(partitions.all()), lambda: partitions.range(None, None)):
        with pytest.raises(QueryError, match="store 's' was given to another worker meanwhile") as raised:
            read()
        assert raised.value.retriable


def test_store_with_a_bound_reads_standbys_too(bench: Bench) -> None:
    """Which say what they have read of the changelog; without a bound there is nothing here."""
    bench.topics(**{"in": 1})

    def counting(directory: str) -> App:
        servers, state = bench.bootstrap_servers, bench.directory / directory
        app = App(bench.tag, bootstrap_servers=servers, state_dir=state)
        app.stream(bench.name("in"), key=str, value=int).group_by_key().count(store="counts")
        return app

    start(bench, counting("one"), 0)
    app = counting("two")
    standby = start(bench, app)
    standby.membership.assign(standbys=[TaskId(0, 0)])
    bench.produce("in", ("a", (4).to_bytes(8, "big"), 1_000))

    def found() -> bool:
        try:
            return app.store("counts", max_lag=0).get("a") == (1, 1000)
        except QueryError:
            return False

    until(found, "the standby to have the row")
    with pytest.raises(QueryError, match="no task of store 'counts' runs in this process"):
        app.store("counts").get("a")
