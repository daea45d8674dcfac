"""Global stores with and without a processor, and read-only stores, in the test driver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import pytest

from streams import (
    App,
    FixedKeyProcessor,
    FixedKeyRecord,
    Json,
    ProcessingError,
    Processor,
    Record,
    Stores,
    TopologyError,
)
from streams.errors import StateError
from streams.state import StoreDeclaration
from streams.testing import TopologyTestDriver
from tests.stores.custom_stores import Board

Place = Literal["memory", "rocksdb"]
PLACES: tuple[Place, ...] = ("memory", "rocksdb")
MINUTE = timedelta(minutes=1)


class Ask(FixedKeyProcessor[str, Any, Any]):
    """Forwards what the store has for the record's key."""

    def process(self, record: FixedKeyRecord[str, Any]) -> None:
        self.context.forward(record.with_value(self.context.store("s").get(record.key)))


def asking(app: App) -> App:
    app.stream("ask", key=str).process_values(Ask, value=Json()).to("told")
    return app


def told(driver: TopologyTestDriver, *keys: str) -> list[Any]:
    for key in keys:
        driver.input_topic("ask").pipe({}, key=key, timestamp=9)
    return [record.value for record in driver.output_topic("told").read_all()]


class Doubles(Processor[str, int]):
    """Puts twice the value; deletes by null; puts what had no key under a name of its own."""

    def init(self, context: Any) -> None:
        super().init(context)
        self.store: Any = context.store("s")

    def process(self, record: Record[str, int]) -> None:
        self.store.put(record.key or "nobody", None if record.value is None else 2 * record.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("persistent", [True, False])
def test_processor_fills_a_global_store_with_what_it_makes_of_records(place: Place, persistent: bool) -> None:
    app = App("app")
    store = Stores.key_value("s", key=str, value=int, persistent=persistent)
    app.add_global_store(store, "rates", key=str, value=int, processor=Doubles)
    with TopologyTestDriver(asking(app), stores=place) as driver:
        rates = driver.input_topic("rates")
        rates.pipe_all([("a", 1, 1), ("b", 2, 2), ("b", None, 3), (None, 5, 4)])
        assert told(driver, "a", "b", "nobody") == [2, None, 10]
        driver.restart()
        assert told(driver, "a") == [2]
        assert driver.store("s").all() == {"a": 2, "nobody": 10}


def test_declared_global_store_without_a_processor_has_rows_as_they_come() -> None:
    app = App("app")
    app.add_global_store(Stores.key_value("s", value=int), "rates")
    with TopologyTestDriver(asking(app)) as driver:
        driver.input_topic("rates").pipe_all([("a", 1, 1), (None, 2, 2), ("b", 3, 3), ("b", None, 4)])
        assert told(driver, "a", "b") == [1, None]


class Windows(Processor[str, int]):
    def process(self, record: Record[str, int]) -> None:
        self.context.store("s").put(record.key, record.value, record.timestamp // 10 * 10)


class Scores(Processor[str, int]):
    def process(self, record: Record[str, int]) -> None:
        self.context.store("s").scored(record.key, record.value)


class Leader(FixedKeyProcessor[str, Any, Any]):
    def process(self, record: FixedKeyRecord[str, Any]) -> None:
        self.context.forward(record.with_value(self.context.store("s").leaders()))


@pytest.mark.parametrize("place", PLACES)
def test_global_store_may_be_of_any_kind(place: Place) -> None:
    app = App("app")
    windows = Stores.window("s", size=timedelta(milliseconds=10), retention=MINUTE, value=int)
    app.add_global_store(windows, "in", key=str, value=int, processor=Windows)
    other = App("other")
    other.add_global_store(Stores.custom("s", Board), "in", key=str, value=int, processor=lambda: Scores())
    other.stream("ask", key=str).process_values(Leader, value=Json()).to("told")
    asking(app)
    with TopologyTestDriver(app, stores=place) as driver:
        driver.input_topic("in").pipe_all([("a", 1, 11), ("a", 2, 19), ("a", 3, 20)])
        assert driver.store("s").fetch("a") == {10: 2, 20: 3}
    with TopologyTestDriver(other, stores=place) as driver:
        driver.input_topic("in").pipe_all([("a", 1, 1), ("b", 7, 2), ("a", 3, 3)])
        assert told(driver, "x") == [[["b", 7], ["a", 3]]]


@pytest.mark.parametrize("store", [Stores.key_value("s"), Stores.timestamped_key_value("s")], ids=repr)
def test_other_processors_only_read_a_global_store(store: StoreDeclaration[Any]) -> None:
    seen: list[Any] = []

    class Look(FixedKeyProcessor[str, Any, Any]):
        def process(self, record: FixedKeyRecord[str, Any]) -> None:
            seen.append(self.context.store("s"))

    app = App("app")
    app.add_global_store(store, "rates")
    app.stream("ask", key=str).process_values(Look).to("told")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("ask").pipe({}, key="k", timestamp=1)
    assert [hasattr(each, name) for each in seen for name in ("get", "put", "delete")] == [True, False, False]


@pytest.mark.parametrize("what", ["forward", "schedule", "stream_time", "task_id"])
def test_processor_of_a_global_store_cannot_do_what_takes_a_task(what: str) -> None:
    class Wants(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            asked: Any = getattr(self.context, what)
            asked(record) if what == "forward" else asked(MINUTE, "stream_time", print)

    app = App("app")
    app.add_global_store(Stores.key_value("s"), "rates", key=str, value=int, processor=Wants)
    with TopologyTestDriver(asking(app)) as driver:
        with pytest.raises(ProcessingError) as raised:
            driver.input_topic("rates").pipe(1, key="k", timestamp=1)
        assert isinstance(raised.value.__cause__, StateError)
        assert "belongs to no task" in str(raised.value.__cause__)
        assert driver.store("s").all() == {}


def test_processor_of_a_global_store_knows_the_record_the_wall_clock_and_the_application() -> None:
    seen: list[Any] = []

    class Knows(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            context = self.context
            seen.append((context.application_id, context.wall_clock_time, context.record_metadata, record.headers))

    app = App("app")
    app.add_global_store(Stores.key_value("s"), "rates", key=str, value=int, processor=Knows)
    with TopologyTestDriver(asking(app)) as driver:
        driver.advance_wall_clock(MINUTE)
        driver.input_topic("rates").pipe(1, key="k", timestamp=1, headers=[("h", b"1")])
    ((application, wall_clock, metadata, headers),) = seen
    assert (application, wall_clock, metadata.topic, metadata.offset) == ("app", 60_000, "rates", 0)
    assert headers == (("h", b"1"),)


def test_processor_of_a_global_store_is_closed_and_its_failure_to_start_is_told() -> None:
    events: list[str] = []

    class Lives(Processor[str, int]):
        def init(self, context: Any) -> None:
            super().init(context)
            events.append("init")

        def close(self) -> None:
            events.append("close")

    class Fails(Lives):
        def init(self, context: Any) -> None:
            raise RuntimeError("no")

    app = App("app")
    app.add_global_store(Stores.key_value("s"), "rates", key=str, value=int, processor=Lives)
    TopologyTestDriver(asking(app)).close()
    assert events == ["init", "close"]
    broken = App("app")
    broken.add_global_store(Stores.key_value("s"), "rates", key=str, value=int, processor=Fails)
    with pytest.raises(TopologyError, match=r"global store 's'.*does not start.*no"):
        TopologyTestDriver(asking(broken))


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a processor of a mere name": ({"store": "s", "processor": Doubles}, r"needs the store's declaration"),
    "no processor": ({"store": Stores.key_value("s"), "processor": 7}, "needs a Processor.*got 7"),
    "windows without a processor": (
        {"store": Stores.session("s", retention=MINUTE)},
        "a session store, into which records cannot be put",
    ),
    "a ttl": ({"store": Stores.key_value("s", ttl=MINUTE)}, "cannot go by ttl or max_entries"),
    "a bound": ({"store": Stores.lru("s", max_entries=3)}, "cannot go by ttl or max_entries"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_global_store_that_cannot_be_is_a_problem_at_its_line(mistake: str) -> None:
    given, message = MISTAKES[mistake]
    app = App("app")
    app.add_global_store(topic="rates", **given)
    with pytest.raises(TopologyError, match=message) as raised:
        asking(app).plan()
    assert [problem.origin is not None for problem in raised.value.problems][:1] == [True]


# -- read-only stores -------------------------------------------------------------------------------------------------


def limited(**settings: Any) -> App:
    app = App("app", **settings)
    app.add_read_only_store("s", "limits", key=str, value=int)
    app.stream("ask", key=str).process_values(Ask, stores=["s"], value=Json()).to("told")
    return app


def test_read_only_store_has_no_changelog_of_its_own() -> None:
    assert limited().plan().partitions({"limits": 2, "ask": 2}).internal_topics == ()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lose_state", [False, True])
def test_read_only_store_is_restored_from_its_topic(place: Place, lose_state: bool) -> None:
    with TopologyTestDriver(limited(), stores=place) as driver:
        driver.input_topic("limits").pipe_all([("a", 1, 1), ("b", 2, 2), ("a", 3, 3), ("b", None, 4)])
        driver.restart(lose_state=lose_state)
        assert told(driver, "a", "b") == [[3, 3], None]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lose_state", [False, True])
def test_read_only_store_holds_what_was_committed_and_then_takes_the_rest(place: Place, lose_state: bool) -> None:
    with TopologyTestDriver(limited(), stores=place, commit="manual") as driver:
        driver.input_topic("limits").pipe(1, key="a", timestamp=1)
        driver.commit()
        driver.input_topic("limits").pipe(2, key="a", timestamp=2)
        assert told(driver, "a") == [[2, 2]]
        driver.restart(lose_state=lose_state)
        assert told(driver, "a") == [[2, 2], [2, 2]]
        driver.commit()
        driver.restart(lose_state=lose_state)
        assert told(driver, "a") == [[2, 2]]


def test_record_that_was_skipped_is_not_restored_into_a_read_only_store() -> None:
    with TopologyTestDriver(limited(deserialization_handler="continue")) as driver:
        driver.input_topic("limits").pipe(1, key="a", timestamp=1)
        driver.input_topic("limits", value=bytes).pipe(b"no number", key="a", timestamp=2)
        assert told(driver, "a") == [[1, 1]]
        driver.restart(lose_state=True)
        assert told(driver, "a") == [[1, 1]]
