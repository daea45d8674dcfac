"""What `store=Materialized(…)` says of the stores of tables and aggregations, in memory and in RocksDB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest

from stores import KeyValueSpec, StoreSpec
from streams import App, Materialized, Processor, Record, Stores, TopologyError, count, session, tumbling
from streams.testing import TopologyTestDriver
from tests.stores.custom_stores import SortedStore

Place = Literal["memory", "rocksdb"]
PLACES: tuple[Place, ...] = ("memory", "rocksdb")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def counting(store: Materialized, **settings: Any) -> App:
    app = App("app", **settings)
    app.stream("in", key=str, value=str).group_by_key().count(store=store).to_stream().to("out")
    return app


def spec_of(app: App, name: str) -> StoreSpec:
    return next(store.spec for _, store in app.plan().stores() if store.name == name)


def pipe(driver: TopologyTestDriver, *records: tuple[str, int]) -> list[tuple[Any, Any]]:
    """Records of (key, timestamp); what came out for them, (key, value)."""
    for key, timestamp in records:
        driver.input_topic("in").pipe("v", key=key, timestamp=timestamp)
    return [(record.key, record.value) for record in driver.output_topic("out").read_all()]


# -- caching, logging, place ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("caching", "emit_updates", "collapsed"),
    [(True, "all", True), (False, "commit", False), (None, "all", False), (None, "commit", True)],
)
def test_caching_of_a_store_wins_over_the_application(
    place: Place, caching: bool | None, emit_updates: str, collapsed: bool
) -> None:
    app = counting(Materialized("n", caching=caching), emit_updates=emit_updates)
    with TopologyTestDriver(app, stores=place, commit="manual") as driver:
        assert pipe(driver, ("a", 1), ("a", 2), ("b", 3)) == ([] if collapsed else [("a", 1), ("a", 2), ("b", 1)])
        driver.commit()
        assert pipe(driver) == ([("a", 2), ("b", 1)] if collapsed else [])


def test_caching_of_one_store_leaves_the_others_alone() -> None:
    app = App("app")
    grouped = app.stream("in", key=str, value=str).group_by_key()
    grouped.count(store=Materialized("slow", caching=True)).to_stream().to("slow")
    grouped.count(store="fast").to_stream().to("fast")
    with TopologyTestDriver(app, commit="manual") as driver:
        for timestamp in range(3):
            driver.input_topic("in").pipe("v", key="k", timestamp=timestamp)
        assert [r.value for r in driver.output_topic("fast").read_all()] == [1, 2, 3]
        assert driver.output_topic("slow").read_all() == []
        driver.restart()
        driver.commit()
        assert [r.value for r in driver.output_topic("slow").read_all()] == [3]


@pytest.mark.parametrize("place", PLACES)
def test_store_that_is_not_logged_has_no_changelog_and_is_lost_with_its_disk(place: Place) -> None:
    app = counting(Materialized("n", logged=False))
    assert app.plan().partitions({"in": 1}).internal_topics == ()
    with TopologyTestDriver(app, stores=place) as driver:
        assert pipe(driver, ("a", 1), ("a", 2)) == [("a", 1), ("a", 2)]
        assert driver.changelog("n") == []
        driver.restart()
        assert pipe(driver, ("a", 3)) == [("a", 3)]
        driver.restart(lose_state=True)
        assert pipe(driver, ("a", 4)) == [("a", 1)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lose_state", [False, True])
def test_store_in_memory_is_restored_from_its_changelog(place: Place, lose_state: bool) -> None:
    app = counting(Materialized("n", persistent=False))
    assert not spec_of(app, "n").persistent
    with TopologyTestDriver(app, stores=place) as driver:
        pipe(driver, ("a", 1), ("a", 2), ("b", 3))
        driver.restart(lose_state=lose_state)
        assert pipe(driver, ("a", 4)) == [("a", 3)]
        assert driver.store("n").all() == {"a": 3, "b": 1}


def test_settings_of_a_changelog_are_those_of_its_topic() -> None:
    app = counting(Materialized("n", changelog={"segment.bytes": "1000", "cleanup.policy": "compact,delete"}))
    store = Stores.key_value("mine", changelog={"retention.ms": "5"})
    app.stream("other", key=str).process(Processor, stores=[store])
    configs = {topic.name: topic.configs for topic in app.plan().partitions({"in": 2, "other": 1}).internal_topics}
    assert configs["app-n-changelog"] == {
        "segment.bytes": "1000",
        "cleanup.policy": "compact,delete",
        "message.timestamp.type": "CreateTime",
    }
    assert configs["app-mine-changelog"]["retention.ms"] == "5"
    assert configs["app-mine-changelog"]["cleanup.policy"] == "compact"


def test_unnamed_store_has_the_name_it_would_have_and_follows_what_was_said() -> None:
    app = counting(Materialized(persistent=False))
    other = counting(Materialized("x"))
    plain = App("app")
    plain.stream("in", key=str, value=str).group_by_key().count()
    (store,) = (store for _, store in app.plan().stores())
    assert [store.name] == [store.name for _, store in plain.plan().stores()]
    assert not store.spec.persistent
    assert spec_of(other, "x").persistent


def test_every_operator_with_a_store_takes_materialized() -> None:
    app = App("app")
    memory = {"persistent": False}
    table = app.table("t", key=str, value=int, store=Materialized("source", **memory))
    other = app.table("u", key=str, value=int)
    stream = app.stream("in", key=str, value=int)
    grouped = stream.group_by_key()
    table.filter(lambda k, v: True, store=Materialized("filtered", **memory))
    table.map_values(lambda v: v, store=Materialized("mapped", **memory))
    table.join(other, lambda a, b: a, store=Materialized("joined", **memory))
    stream.to_table(store=Materialized("to-table", **memory))
    grouped.reduce(lambda a, v: a, store=Materialized("reduced", **memory))
    grouped.aggregate(n=count(), store=Materialized("named", **memory))
    grouped.windowed_by(tumbling(MINUTE, grace=SECOND)).count(store=Materialized("windows", **memory))
    grouped.windowed_by(session(MINUTE, grace=SECOND)).count(store=Materialized("sessions", **memory))
    grouped.cogroup(lambda k, v, a: a).aggregate(lambda: 0, store=Materialized("cogrouped", **memory))
    table.group_by(lambda k, v: (k, v)).count(store=Materialized("of-table", **memory))
    stream.deduplicate(within=MINUTE, store=Materialized("seen", **memory))
    app.global_table("g", key=str, value=int, store=Materialized("everywhere", **memory))
    plan = app.plan()
    specs = {store.name: store.spec for store in [*(s for _, s in plan.stores()), *plan.global_stores]}
    assert {name for name, spec in specs.items() if not spec.persistent} == {
        *("source", "filtered", "mapped", "joined", "to-table", "reduced", "named", "windows", "sessions"),
        *("cogrouped", "of-table", "seen", "everywhere"),
    }


def test_retention_of_a_windowed_store_is_taken_from_either_place() -> None:
    def app(**how: Any) -> App:
        made = App("app")
        grouped = made.stream("in", key=str, value=str).group_by_key()
        grouped.windowed_by(tumbling(SECOND, grace=SECOND)).count(**how)
        return made

    assert spec_of(app(store=Materialized("w", retention=MINUTE)), "w").retention_ms == 60_000  # type: ignore[union-attr]
    assert spec_of(app(store=Materialized("w"), retention=MINUTE), "w").retention_ms == 60_000  # type: ignore[union-attr]
    assert spec_of(app(store=Materialized("w")), "w").retention_ms == 2000  # type: ignore[union-attr]
    with pytest.raises(TopologyError, match=r"retention of store 'w' is 1000 ms, .* 2000 ms"):
        app(store=Materialized("w", retention=SECOND)).plan()


# -- what cannot be ---------------------------------------------------------------------------------------------------


def windowed(store: Materialized) -> Callable[[App], Any]:
    return lambda app: (
        app.stream("in", key=str, value=str)
        .group_by_key()
        .windowed_by(tumbling(SECOND, grace=SECOND), emit="close")
        .count(store=store)
    )


def plain(store: Materialized) -> Callable[[App], Any]:
    return lambda app: app.stream("in", key=str, value=str).group_by_key().count(store=store)


def everywhere(store: Materialized) -> Callable[[App], Any]:
    return lambda app: (app.stream("in"), app.global_table("g", store=store))


def regrouped(store: Materialized) -> Callable[[App], Any]:
    return lambda app: (
        app.table("t", key=str, value=int, store=store).filter(lambda k, v: v > 1).group_by(lambda k, v: (v, v)).count()
    )


MISTAKES: dict[str, tuple[Callable[[App], Any], str]] = {
    "a changelog of nothing": (plain(Materialized("s", logged=False, changelog={"a": "b"})), "not logged"),
    "a setting that is no string": (plain(Materialized("s", changelog={"a": 1})), "settings of topics are strings"),  # type: ignore[dict-item]
    "a changelog that forgets": (
        plain(Materialized("s", changelog={"cleanup.policy": "delete"})),
        'use "compact".* or "compact,delete"',
    ),
    "two ways to forget": (plain(Materialized("s", ttl=SECOND, max_entries=1)), "not ttl and max_entries"),
    "a bound on disk": (plain(Materialized("s", max_entries=1, persistent=True)), "leave out persistent=True"),
    "no entries": (plain(Materialized("s", max_entries=0)), "at least 1"),
    "no time": (plain(Materialized("s", ttl=timedelta(0))), "at least a millisecond"),
    "ttl of windows": (windowed(Materialized("s", ttl=SECOND)), "ttl is for key-value stores, .* a window store"),
    "a bound of windows": (windowed(Materialized("s", max_entries=3)), "max_entries is for key-value stores"),
    "custom windows": (windowed(Materialized("s", custom=SortedStore)), "custom is for key-value stores"),
    "retention of rows": (plain(Materialized("s", retention=SECOND)), "for rows that expire say ttl="),
    "final results that wait": (windowed(Materialized("s", caching=True)), "forwards nothing that could wait"),
    "a global ttl": (everywhere(Materialized("s", ttl=SECOND)), "leave out ttl"),
    "a global changelog": (everywhere(Materialized("s", logged=False)), "leave out logged"),
    "rows that go untold": (regrouped(Materialized("s", ttl=SECOND)), "group_by needs a table that tells of every row"),
    "rows that are evicted": (regrouped(Materialized("s", max_entries=5)), "go without a word .max_entries."),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_store_that_cannot_be_is_a_problem_at_its_line(mistake: str) -> None:
    declare, message = MISTAKES[mistake]
    app = App("app")
    declare(app)
    with pytest.raises(TopologyError, match=message) as raised:
        app.plan()
    (problem,) = raised.value.problems
    assert problem.origin is not None
    assert problem.origin.file == __file__


def test_declared_store_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"'s'.*not logged"):
        Stores.key_value("s", logged=False, changelog={"a": "b"})
    with pytest.raises(ValueError, match=r"'s'.*cleanup.policy='delete'"):
        Stores.session("s", retention=SECOND, changelog={"cleanup.policy": "delete"})
    with pytest.raises(ValueError, match="max_entries is 0"):
        Stores.lru("s", max_entries=0)


# -- rows that go, and stores of one's own ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("caching", [False, True])
def test_count_begins_again_when_its_row_has_expired(place: Place, caching: bool) -> None:
    """A row lives for less than `ttl` after its timestamp, by the stream time of all records of the task."""
    with TopologyTestDriver(counting(Materialized("n", ttl=SECOND, caching=caching)), stores=place) as driver:
        assert pipe(driver, ("a", 0), ("a", 500)) == [("a", 1), ("a", 2)]
        assert pipe(driver, ("b", 1499), ("a", 1499)) == [("b", 1), ("a", 3)]
        assert pipe(driver, ("b", 2499), ("a", 2499)) == [("b", 1), ("a", 1)]
        assert driver.store("n").all() == {"a": 1, "b": 1}


@pytest.mark.parametrize("place", PLACES)
def test_record_of_another_input_of_the_task_lets_rows_expire(place: Place) -> None:
    app = App("app")
    table = app.table("t", key=str, value=str, store=Materialized("t", ttl=SECOND))
    app.stream("in", key=str, value=str).left_join(table, lambda v, t: f"{v}-{t}").to("out")
    with TopologyTestDriver(app, stores=place) as driver:
        driver.input_topic("t").pipe("row", key="k", timestamp=0)
        driver.input_topic("in").pipe("x", key="k", timestamp=999)
        driver.input_topic("in").pipe("y", key="other", timestamp=1000)
        driver.input_topic("in").pipe("z", key="k", timestamp=1)
        assert [r.value for r in driver.output_topic("out").read_all()] == ["x-row", "y-None", "z-None"]


@pytest.mark.parametrize("place", PLACES)
def test_row_put_when_it_has_expired_is_forwarded_and_not_kept(place: Place) -> None:
    with TopologyTestDriver(counting(Materialized("n", ttl=SECOND)), stores=place) as driver:
        assert pipe(driver, ("a", 5000), ("b", 4000), ("b", 4000)) == [("a", 1), ("b", 1), ("b", 1)]
        assert driver.store("n").all() == {"a": 1}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lose_state", [False, True])
def test_expired_rows_stay_expired_after_a_restart(place: Place, lose_state: bool) -> None:
    """Also where the record that moved time on is in no store."""
    app = App("app")
    stream = app.stream("in", key=str, value=str)
    stream.filter(lambda k, v: k != "tick").group_by_key().count(store=Materialized("n", ttl=SECOND)).to_stream().to(
        "out"
    )
    with TopologyTestDriver(app, stores=place) as driver:
        assert pipe(driver, ("a", 0), ("tick", 1000)) == [("a", 1)]
        driver.restart(lose_state=lose_state)
        assert driver.store("n").all() == {}
        assert pipe(driver, ("a", 900)) == [("a", 1)]


@pytest.mark.parametrize("place", PLACES)
def test_expired_rows_are_deleted_from_the_changelog(place: Place) -> None:
    with TopologyTestDriver(counting(Materialized("n", ttl=SECOND)), stores=place) as driver:
        pipe(driver, ("a", 0), ("b", 2000), ("c", 2001))
        assert ("a", None) in [(record.key.decode(), record.value) for record in driver.changelog("n")]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("caching", [False, True])
def test_bounded_table_forgets_the_key_that_was_used_least_recently(place: Place, caching: bool) -> None:
    """Counting a key uses its row; a commit in between makes no difference."""
    app = counting(Materialized("n", max_entries=2, caching=caching))
    for commit in ("record", "manual"):
        with TopologyTestDriver(app, stores=place, commit=commit) as driver:  # type: ignore[arg-type]
            pipe(driver, ("a", 1), ("b", 2), ("a", 3), ("c", 4))
            assert driver.store("n").all() == {"a": 2, "c": 1}
            pipe(driver, ("b", 5))
            assert driver.store("n").all() == {"b": 1, "c": 1}
            if commit == "record":
                driver.restart(lose_state=True)
                assert driver.store("n").all() == {"b": 1, "c": 1}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("caching", [False, True])
@pytest.mark.parametrize("lose_state", [False, True])
def test_custom_store_keeps_a_table_as_ours_does(place: Place, caching: bool, lose_state: bool) -> None:
    results: list[Any] = []
    for custom in (None, SortedStore):
        app = App("app")
        table = (
            app.stream("in", key=str, value=int)
            .group_by_key()
            .aggregate(
                list[int],
                lambda k, v, a: [*a, v],
                value=list[int],
                store=Materialized("n", custom=custom, caching=caching),
            )
        )
        table.to_stream().to("out")
        app.stream("ask", key=str, value=int).join(table, lambda v, seen: [v, *seen]).to("answers")
        with TopologyTestDriver(app, stores=place, commit="manual") as driver:
            ins, asks = driver.input_topic("in"), driver.input_topic("ask")
            ins.pipe_all([("b", 1, 1), ("a", 2, 2), ("b", 3, 3)])
            driver.commit()
            ins.pipe(4, key="a", timestamp=4)
            driver.restart(lose_state=lose_state)
            asks.pipe_all([("a", 9, 9), ("b", 9, 9), ("c", 9, 9)])
            driver.commit()
            results.append(
                [
                    [(r.key, r.value, r.timestamp) for r in driver.output_topic("out").read_all()],
                    [r.value for r in driver.output_topic("answers").read_all()],
                    driver.rows("n"),
                    driver.changelog("n"),
                ]
            )
    assert results[0] == results[1]
    assert results[0][1] == [[9, 2, 4], [9, 1, 3]]


class Total(Processor[str, str, str, list[str]]):
    """Reads the store of a table by its name."""

    def process(self, record: Record[str, str]) -> None:
        with self.context.store("n").all() as entries:
            self.context.forward(record.with_value([f"{key}={value.value}" for key, value in entries]))


@pytest.mark.parametrize("store", [{}, {"ttl": SECOND}, {"max_entries": 2}, {"custom": SortedStore}], ids=repr)
def test_processor_reads_the_store_of_a_table_of_any_kind(store: dict[str, Any]) -> None:
    app = counting(Materialized("n", **store))
    app.stream("ask", key=str, value=str).process(Total, stores=["n"]).to("told")
    with TopologyTestDriver(app) as driver:
        pipe(driver, ("a", 1), ("b", 2), ("a", 3))
        driver.input_topic("ask").pipe("", key="k", timestamp=4)
        assert driver.output_topic("told").read().value == ["a=2", "b=1"]


def test_plain_store_is_still_read_without_asking_it() -> None:
    """The fast path: what nobody said anything of."""
    assert KeyValueSpec("s", spec_of(counting(Materialized("n")), "n").codec).is_plain  # type: ignore[union-attr]
    assert "rows_get(kb" in next(s.program.source for s in counting(Materialized("n", ttl=SECOND)).plan().subtopologies)
    assert ".dirty" in next(s.program.source for s in counting(Materialized("n")).plan().subtopologies)
