"""Versioned tables: where they are versioned, what they forward, and who may look at their past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streams import App, FixedKeyProcessor, Json, KTable, Materialized, TopologyError, collect, count, tumbling
from streams.testing import TopologyTestDriver
from tests.streams.topology.test_compile import NO_LIMIT, Bench, message

MS = timedelta(milliseconds=1)
PAST = Materialized("past", history_retention=100 * MS)


def kept(name: str, history: int = 100) -> Materialized:
    return Materialized(name, history_retention=history * MS)


def rates(app: App, history: int = 100) -> KTable[str, int]:
    return app.table("rates", key=str, value=int, store=kept("rates", history))


def pipe(driver: TopologyTestDriver, topic: str, *records: tuple[Any, int], key: str = "k") -> None:
    for value, timestamp in records:
        driver.input_topic(topic).pipe(value, key=key, timestamp=timestamp)


def out(driver: TopologyTestDriver) -> list[tuple[Any, int]]:
    return [(record.value, record.timestamp) for record in driver.output_topic("out").read_all()]


# -- what is versioned ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("derive", "met"),
    [
        (lambda table: table, "x-1"),
        (lambda table: table.filter(lambda k, v: v < 3).map_values(lambda v: v), "x-1"),
        (lambda table: table.filter(lambda k, v: v < 3, store="plain"), "x-2"),
        (lambda table: table.map_values(lambda v: v, store="plain").filter(lambda k, v: v < 3), "x-2"),
        (lambda table: table.map_values(lambda v: v, store="plain").filter(lambda k, v: v < 3, store=PAST), "x-1"),
        (lambda table: table.to_stream().to_table(), "x-2"),
        (lambda table: table.to_stream().to_table(store=PAST), "x-1"),
        (lambda table: table.join(table, lambda one, other: other), "x-2"),
        (lambda table: table.join(table, lambda one, other: other, store=PAST), "x-1"),
        (lambda table: table.group_by(lambda k, v: (k, v)).reduce(lambda a, v: v, lambda a, v: a), "x-2"),
        (lambda table: table.group_by(lambda k, v: (k, v)).reduce(lambda a, v: v, lambda a, v: a, store=PAST), "x-1"),
    ],
)
def test_table_is_versioned_as_long_as_no_operator_makes_a_plain_one_of_it(derive: Any, met: str) -> None:
    app = App("app")
    app.stream("in", key=str, value=str).join(derive(rates(app)), lambda v, rate: f"{v}-{rate}").to("out")
    with TopologyTestDriver(app) as driver:
        pipe(driver, "rates", (1, 10), (2, 20))
        pipe(driver, "in", ("x", 15))
        assert out(driver) == [(met, 15)]


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_versioned_aggregates_know_what_they_were(store: Any) -> None:
    """The aggregators change their aggregates in place, which must not reach the versions of before."""

    def append(key: str, value: int, aggregate: list[int]) -> list[int]:
        aggregate.append(value)
        return aggregate

    app = App("app")
    group = app.stream("in", key=str, value=int).group_by_key()
    group.count(store=kept("counts"))
    group.reduce(lambda a, v: a + v, store=kept("sums"))
    group.aggregate(list, append, value=Json(), store=kept("lists"))
    group.aggregate(n=count(), all=collect(lambda v: v), store=kept("named"))
    other = app.stream("other", key=str, value=int).group_by_key()
    group.cogroup(append).cogroup(other, append).aggregate(list, value=Json(), store=kept("cogrouped"))
    with TopologyTestDriver(app, stores=store) as driver:
        pipe(driver, "in", (5, 10), (6, 20), (7, 5))
        pipe(driver, "other", (8, 30))
        driver.restart(lose_state=True)

        def at(name: str, time: int) -> Any:
            version = driver.store(name).as_of("k", time)
            return None if version is None else version.value

        assert [at("counts", time) for time in (9, 10, 19, 20, 99)] == [None, 1, 1, 3, 3]
        assert [at("sums", time) for time in (9, 10, 20)] == [None, 5, 18]
        assert [at("lists", time) for time in (9, 10, 20)] == [None, [5], [5, 6, 7]]
        assert [(v.n, v.all) for v in (at("named", 10), at("named", 20))] == [(1, [5]), (3, [5, 6, 7])]
        assert [at("cogrouped", time) for time in (10, 20, 30)] == [[5], [5, 6, 7], [5, 6, 7, 8]]
        versions = [(value, since, until) for value, since, until in driver.store("counts").versions("k")]
        assert versions == [(1, 10, 20), (3, 20, -1)]


@pytest.mark.parametrize("cogrouped", [False, True])
def test_aggregate_that_begins_again_before_its_deletion_is_an_earlier_version(cogrouped: bool) -> None:
    """Then it is in the stream of changes, but a join with another table follows the latest version, the deletion."""
    app = App("app")
    group = app.stream("in", key=str, value=int).group_by_key()

    def fold(key: str, value: int, aggregate: int) -> Any:
        return aggregate + value or None

    if cogrouped:
        other = app.stream("other", key=str, value=int).group_by_key()
        table = group.cogroup(fold).cogroup(other, fold).aggregate(lambda: 0, value=int, store=PAST)
    else:
        table = group.aggregate(lambda: 0, fold, value=int, store=PAST)
    table.to_stream().to("out")
    table.left_join(app.table("other-table", key=str, value=int), lambda mine, theirs: mine, value=int).to_stream().to(
        "joined"
    )
    with TopologyTestDriver(app) as driver:
        pipe(driver, "in", (5, 50), (-5, 60), (7, 40))
        assert out(driver) == [(5, 50), (None, 60), (7, 40)]
        assert [r.value for r in driver.output_topic("joined").read_all()] == [5, None]
        assert driver.counters()["dropped_out_of_order"] == 1


# -- what it forwards -------------------------------------------------------------------------------------------------
def test_change_at_an_earlier_time_comes_out_unless_it_is_older_than_the_history() -> None:
    app = App("app", emit_updates="commit")  # nothing is held back: each version counts
    rates(app, history=10).to_stream().to("out")
    with TopologyTestDriver(app, commit="manual") as driver:
        pipe(driver, "rates", (1, 20), (2, 15), (None, 12), (3, 10), (4, 9), (5, 20))
        assert out(driver) == [(1, 20), (2, 15), (None, 12), (3, 10), (5, 20)]
        assert driver.counters()["dropped_late"] == 1


def test_aggregate_of_a_versioned_table_is_that_of_its_latest_versions() -> None:
    app = App("app")
    rates(app).group_by(lambda k, v: ("all", v), key=str, value=int).reduce(
        lambda a, v: a + v, lambda a, v: a - v
    ).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        pipe(driver, "rates", (5, 20))
        pipe(driver, "rates", (1, 10), key="other")
        pipe(driver, "rates", (9, 15), (7, 30))
        assert [value for value, _ in out(driver)] == [5, 6, 8]
        assert driver.counters()["dropped_out_of_order"] == 1


def test_aggregate_of_a_table_can_be_versioned_itself() -> None:
    app = App("app")
    rates(app).group_by(lambda key, value: ("all", value), key=str, value=int).aggregate(
        n=count(), store=PAST
    ).to_stream().to("out")
    with TopologyTestDriver(app) as driver:
        pipe(driver, "rates", (1, 10))
        pipe(driver, "rates", (2, 20), key="other")
        pipe(driver, "rates", (None, 30))
        assert [(value.n, at) for value, at in out(driver)] == [(1, 10), (2, 20), (1, 30)]


def test_filter_behind_a_versioned_table_repeats_tombstones() -> None:
    app = App("app")
    low = rates(app).filter(lambda k, v: v < 5)
    low.to_stream().to("out")
    low.group_by(lambda k, v: (k, v)).count()  # asks for old values
    with TopologyTestDriver(app) as driver:
        pipe(driver, "rates", (7, 10), (8, 20), (9, 15))
        assert out(driver) == [(None, 10), (None, 20), (None, 15)]


# -- state ------------------------------------------------------------------------------------------------------------
def test_history_behind_a_repartition_is_kept_as_far_back_as_the_watermark_is() -> None:
    """One upstream task may be far ahead of another: its records must not cost the other's their versions."""
    app = App("app")
    table = app.stream("in", key=str, value=Json()).select_key(lambda k, v: k, key=str).to_table(store=kept("past", 10))
    table.to_stream().to("out")
    bench = Bench(app, 1, watermark=-1)
    topic = next(iter(bench.program.sources))

    def mark(value: int) -> Any:
        return message(None, key=None, topic=topic, headers=[("mark", str(value).encode())])

    bench.run(topic, [message(1, ts=500, topic=topic), message(2, ts=20, topic=topic), mark(40)])
    assert bench.counters.dropped_late == 0
    bench.run(topic, [message(3, ts=30, topic=topic), message(4, ts=29, topic=topic)])
    assert bench.counters.dropped_late == 1
    store = bench.state.store("past")
    assert [store.as_of(b"k", time) for time in (29, 30, 499, 500)] == [None, (3, 30), (3, 30), (1, 500)]  # type: ignore[union-attr]
    bench.run(topic, [mark(NO_LIMIT), message(5, ts=499, topic=topic), message(6, ts=400, topic=topic)])
    assert bench.counters.dropped_late == 2
    assert [ts for *_, ts in bench.sent] == [500, 20, 30, 499]


def test_changelog_of_a_versioned_table_is_spared_compaction_for_its_history_and_a_day() -> None:
    app = App("app")
    app.table("rates", key=str, store=Materialized("rates", history_retention=timedelta(hours=1)))
    app.table("plain", key=str, store="plain")
    topics = {topic.name: topic.configs for topic in app.plan().partitions({"rates": 1, "plain": 1}).internal_topics}
    assert topics["app-rates-changelog"]["min.compaction.lag.ms"] == str(25 * 3_600_000)
    assert topics["app-rates-changelog"]["cleanup.policy"] == "compact"
    assert "min.compaction.lag.ms" not in topics["app-plain-changelog"]


def test_processor_reads_the_past_of_a_table() -> None:
    class Recall(FixedKeyProcessor[str, str, str]):
        def process(self, record: Any) -> None:
            told: list[str] = []
            for name in ("rates", "totals"):
                store: Any = self.context.store(name)
                version = store.as_of(record.key, record.timestamp)
                with store.versions(record.key, 0, 100) as versions:
                    told.append(f"{version and version.value} of {len(list(versions))}")
            self.context.forward(record.with_value(", ".join(told)))

    app = App("app")
    table = rates(app)
    table.to_stream().group_by_key().aggregate(n=count(), store=kept("totals"))
    app.stream("in", key=str, value=str).process_values(Recall, stores=["rates", "totals"], value=str).to("out")
    with TopologyTestDriver(app) as driver:
        pipe(driver, "rates", (1, 10), (2, 20))
        pipe(driver, "in", ("x", 15), ("y", 5))
        (first, _), (second, _) = out(driver)
    assert first.startswith("1 of 2, ")
    assert "n=1" in first
    assert second == "None of 2, None of 2"


# -- mistakes ---------------------------------------------------------------------------------------------------------
def test_store_that_cannot_be_versioned_is_named() -> None:
    app = App("app")
    app.table("t", key=str, store=Materialized("t", history_retention=-1 * MS))
    app.global_table("g", key=str, store=kept("g"))
    windows = app.stream("in", key=str).group_by_key().windowed_by(tumbling(10 * MS, grace=0 * MS))
    windows.count(store=kept("w"))
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = [problem.message for problem in caught.value.problems]
    assert messages == [
        "store 't': history_retention is -1 day, 23:59:59.999000, it must not be negative",
        "a global table keeps each key's newest value, not versions: leave out history_retention",
        "windows are kept by their start, not versions: leave out history_retention",
    ]
