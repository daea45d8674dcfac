"""`process` and `process_values`: what processors get, what they can do, and what follows them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from streams import (
    App,
    Context,
    FixedKeyProcessor,
    FixedKeyRecord,
    ProcessingError,
    Processor,
    ProcessorContext,
    Record,
    StateError,
    Stores,
    TopologyError,
    count,
)
from streams.processors import RecordMetadata
from streams.processors.supplier import ProcessorSupplier
from streams.serde import Unknown
from streams.testing import TopologyTestDriver

TIMES = Stores.key_value("times", key=str, value=int)


class Forward(Processor[str, int]):
    def process(self, record: Record[str, int]) -> None:
        self.context.forward(record)


class Four(Processor[str, int, bytes, float]):
    pass


def make_four() -> Four:
    return Four()


class Length(FixedKeyProcessor[str, str, int]):
    def process(self, record: FixedKeyRecord[str, str]) -> None:
        self.context.forward(record.with_value(len(record.value)))


def test_process_gets_the_whole_record_and_forwards_what_it_likes() -> None:
    """Key, value, timestamp and headers in; each of them changed out; one record may become none or many."""
    seen: list[Record[str, int]] = []

    class Fan(Processor[str, int, int, str]):
        def process(self, record: Record[str, int]) -> None:
            seen.append(record)
            for i in range(record.value):
                made = record.with_key(i).with_value(record.key * i).with_timestamp(record.timestamp + i)
                self.context.forward(made.with_headers((*record.headers, ("i", b"%d" % i))))

    app = App("a")
    app.stream("in", key=str, value=int).process(Fan).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(2, key="ab", timestamp=7, headers=[("h", None)])
        driver.input_topic("in").pipe(0, key="none", timestamp=8)
        out = driver.output_topic("out").read_all()
    assert seen == [Record("ab", 2, 7, (("h", None),)), Record("none", 0, 8)]
    assert [(r.key, r.value, r.timestamp) for r in out] == [(0, "", 7), (1, "ab", 8)]
    assert out[1].headers == [("h", None), ("i", b"1")]


def test_process_passes_null_keys_and_values_on() -> None:
    app = App("a")
    app.stream("in", key=str, value=int).process(Forward).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(None, key=None, timestamp=3)
        assert [(r.key, r.value) for r in driver.output_topic("out").read_all()] == [(None, None)]


def test_process_counts_as_a_change_of_the_key_and_process_values_does_not() -> None:
    changed, kept = App("a"), App("a")
    changed.stream("in", key=str, value=int).process(Forward).group_by_key().count(store="n")
    kept.stream("in", key=str, value=str).process_values(Length).group_by_key().count(store="n")
    assert [s.topic for sub in changed.plan().subtopologies for s in sub.sources] == ["in", "a-n-repartition"]
    assert [s.topic for sub in kept.plan().subtopologies for s in sub.sources] == ["in"]


def test_process_values_keeps_the_bytes_of_the_key_type_and_gives_its_value_type() -> None:
    app = App("a")
    app.stream("in", key=int, value=str).process_values(lambda: Length()).to("out", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe("four", key=12, timestamp=1)
        assert [(r.key, r.value) for r in driver.output_topic("out").read_all()] == [(12, 4)]


def test_process_values_refuses_a_record_whose_key_could_have_changed() -> None:
    class Wrong(FixedKeyProcessor[str, int, int]):
        def process(self, record: FixedKeyRecord[str, int]) -> None:
            self.context.forward(Record("other", record.value, record.timestamp))  # pyright: ignore

    app = App("a")
    app.stream("in", key=str, value=int).process_values(Wrong, name="wrong").to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match=r"wrong.*FixedKeyRecord"):
        driver.input_topic("in").pipe(1, key="a", timestamp=1)


def test_forward_to_a_named_child_reaches_that_child_alone() -> None:
    class Router(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            self.context.forward(record, child="even" if record.value % 2 == 0 else "odd")
            if record.value == 0:
                self.context.forward(record)

    app = App("a")
    routed = app.stream("in", key=str, value=int).process(Router)
    routed.filter(lambda k, v: True, name="even").to("evens")
    routed.map_values(lambda v: -v, name="odd").to("odds", value=int)
    with TopologyTestDriver(app) as driver:
        for value in (1, 2, 0):
            driver.input_topic("in").pipe(value, key="k", timestamp=1)
        assert [r.value for r in driver.output_topic("evens").read_all()] == [2, 0, 0]
        assert [r.value for r in driver.output_topic("odds").read_all()] == [-1, 0]


def test_forward_to_an_only_child_by_its_name_and_to_an_unknown_one() -> None:
    class To(Processor[str, str]):
        def process(self, record: Record[str, str]) -> None:
            self.context.forward(record, child=record.value)

    app = App("a")
    app.stream("in", key=str, value=str).process(To).to("out", name="sink")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe("sink", key="k", timestamp=1)
        assert len(driver.output_topic("out")) == 1
        with pytest.raises(ProcessingError, match="no child 'snk'; it has 'sink'"):
            driver.input_topic("in").pipe("snk", key="k", timestamp=1)


def test_context_tells_task_application_times_and_where_the_record_was_read() -> None:
    told: list[Any] = []

    class Tell(Processor[str, int]):
        def init(self, context: ProcessorContext[str, int]) -> None:
            super().init(context)
            told.append((context.application_id, str(context.task_id), context.record_metadata, context.stream_time))

        def process(self, record: Record[str, int]) -> None:
            context = self.context
            told.append((context.record_metadata, context.stream_time, context.wall_clock_time))

        def close(self) -> None:
            told.append("closed")

    app = App("a")
    app.stream("in", key=str, value=int).process(Tell)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k", timestamp=50)
        driver.advance_wall_clock(timedelta(seconds=2))
        driver.input_topic("in").pipe(1, key="k", timestamp=20)
    assert told == [
        ("a", "0_0", None, -1),
        (RecordMetadata("in", 0, 0), 50, 0),
        (RecordMetadata("in", 0, 1), 50, 2000),
        "closed",
    ]


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
def test_store_is_shared_by_the_processors_that_name_it_which_makes_them_one_subtopology(stores: Any) -> None:
    class Put(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            self.context.store(TIMES).put(record.key, record.value)

    class Get(FixedKeyProcessor[str, Any, int]):
        def process(self, record: FixedKeyRecord[str, Any]) -> None:
            self.context.forward(record.with_value(self.context.store("times").get(record.key)))

    app = App("a")
    app.add_store(TIMES)
    app.stream("puts", key=str, value=int).process(Put, stores=["times"])
    app.stream("gets", key=str).process_values(Get, stores=[TIMES]).to("out", value=int)
    assert len(app.plan().subtopologies) == 1
    with TopologyTestDriver(app, stores=stores) as driver:
        driver.input_topic("puts").pipe(17, key="a", timestamp=5)
        driver.input_topic("gets").pipe({}, key="a", timestamp=6)
        driver.input_topic("gets").pipe({}, key="b", timestamp=6)
        assert [r.value for r in driver.output_topic("out").read_all()] == [17, None]
        assert driver.rows("times") == {"a": (17, 5)}


def test_processor_reads_and_changes_the_store_of_a_table_by_its_name() -> None:
    """Tables keep values with timestamps; the rows of named aggregates are what users see of them, and read-only."""

    class Peek(FixedKeyProcessor[str, Any, Any]):
        def process(self, record: FixedKeyRecord[str, Any]) -> None:
            row = self.context.store("prices").get("apple")
            totals = self.context.store("totals").get("apple")
            self.context.forward(record.with_value([*row, totals.value.n, totals.timestamp]))
            assert not hasattr(self.context.store("totals"), "put")

    app = App("a")
    app.table("prices", key=str, value=int, store="prices")
    app.stream("sales", key=str, value=int).group_by_key().aggregate(n=count(), store="totals")
    app.stream("asks", key=str).process_values(Peek, stores=["prices", "totals"]).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("prices").pipe(3, key="apple", timestamp=5)
        driver.input_topic("sales").pipe(1, key="apple", timestamp=9)
        driver.input_topic("asks").pipe({}, key="x", timestamp=10)
        assert driver.output_topic("out").read().value == [3, 5, 1, 9]


def test_store_that_was_not_named_is_refused_with_the_cure() -> None:
    class Reach(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            self.context.store("times")

    app = App("a")
    app.add_store(TIMES)
    app.stream("in", key=str, value=int).process(Reach, name="reach")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError, match=r"stores=\['times'\]") as caught:
        driver.input_topic("in").pipe(1, key="a", timestamp=1)
    assert isinstance(caught.value.cause, StateError)


def test_wrong_declarations_are_all_told_with_their_lines() -> None:
    """Not a processor, the other kind of processor, an unknown store, a store's name given twice."""
    app = App("a")
    stream = app.stream("in", key=str, value=int)
    stream.process(Length)  # pyright: ignore
    stream.process_values(lambda record: record)  # pyright: ignore
    stream.process(Forward, stores=["tims"])
    app.add_store(TIMES)
    app.add_store(Stores.key_value("times"))
    with pytest.raises(TopologyError) as caught:
        app.plan()
    messages = [problem.message for problem in caught.value.problems]
    assert [message[:34] for message in messages] == [
        "process needs a Processor: its cla",
        "process_values needs a FixedKeyPro",
        "in-process uses a store 'tims', bu",
        "there is already a store named 'ti",
    ]
    assert {Path(p.origin.file).name for p in caught.value.problems if p.origin} == {"test_process.py"}


def test_processor_that_does_not_start_is_named_with_its_line() -> None:
    class Hasty(Processor[str, int]):
        def init(self, context: ProcessorContext[str, int]) -> None:
            context.schedule(timedelta(microseconds=10), "stream_time", print)

    app = App("a")
    app.stream("in", key=str, value=int).process(Hasty, name="hasty")
    with pytest.raises(TopologyError, match=r"test_process.py:\d+: processor 'hasty' .*at least one millisecond"):
        TopologyTestDriver(app)


def test_each_task_has_a_processor_of_its_own_also_if_an_instance_is_given() -> None:
    pattern = Forward()
    app = App("a")
    app.stream("in", key=str, value=int).process(pattern)
    with TopologyTestDriver(app) as one, TopologyTestDriver(app) as other:
        one.input_topic("in").pipe(1, key="k", timestamp=1)
        other.input_topic("in").pipe(1, key="k", timestamp=1)
    assert not hasattr(pattern, "context")


def test_failure_behind_a_processor_is_blamed_on_the_operator_that_failed() -> None:
    app = App("a")
    app.stream("in", key=str, value=int).process(Forward).map_values(lambda v: 1 // v, name="broken").to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError) as caught:
        driver.input_topic("in").pipe(0, key="k", timestamp=1)
    assert (caught.value.node, caught.value.topic, caught.value.offset) == ("broken", "in", 0)


@pytest.mark.parametrize("kind", ["stream_time", "wall_clock_time"])
def test_failing_punctuator_is_blamed_on_its_processor(kind: Any) -> None:
    class Fail(Processor[str, int]):
        def init(self, context: ProcessorContext[str, int]) -> None:
            context.schedule(timedelta(milliseconds=10), kind, lambda now: 1 // 0)

        def process(self, record: Record[str, int]) -> None:
            pass

    app = App("a")
    app.stream("in", key=str, value=int).process(Fail, name="fails")
    with TopologyTestDriver(app) as driver:
        happen = {
            "stream_time": lambda: driver.input_topic("in").pipe(0, key="k", timestamp=1),
            "wall_clock_time": lambda: driver.advance_wall_clock(timedelta(milliseconds=10)),
        }[kind]
        with pytest.raises(ProcessingError, match=r"^fails .*ZeroDivisionError"):
            happen()


def test_functions_behind_a_punctuator_have_a_context_without_a_record() -> None:
    seen: list[Context] = []

    class Tick(Processor[str, int]):
        def init(self, context: ProcessorContext[str, int]) -> None:
            super().init(context)
            context.schedule(timedelta(seconds=1), "wall_clock_time", self.tick)

        def process(self, record: Record[str, int]) -> None:
            self.context.forward(record)

        def tick(self, now: int) -> None:
            assert self.context.record_metadata is None
            self.context.forward(Record("tick", now, 17))

    def look(key: str, value: int, context: Context) -> None:
        seen.append(context)

    app = App("a")
    app.stream("in", key=str, value=int).process(Tick).foreach(look)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="a", timestamp=3)
        driver.advance_wall_clock(timedelta(seconds=1))
    assert [(c.topic, c.partition, c.offset, c.timestamp) for c in seen] == [("in", 0, 0, 3), ("", -1, -1, 17)]


def test_record_with_a_negative_timestamp_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="-1"):
        Record("a", 1, 0).with_timestamp(-1)


def test_types_of_what_a_processor_forwards_are_told_from_its_class() -> None:
    """Left out type arguments are those of the input; type variables and Any tell nothing."""

    class Same(Processor[str, int]):
        pass

    class Open(Processor[Any, int]):
        pass

    def types(given: Any, kind: Any = Processor) -> tuple[Any, Any]:
        return ProcessorSupplier(given, kind).result_types()

    assert types(Same) == (str, int)
    assert types(Four) == types(Four()) == types(make_four) == (bytes, float)
    assert types(Open) == (Unknown, int)
    assert types(Processor) == types(lambda: Same()) == (Unknown, Unknown)
    assert types(Length, FixedKeyProcessor) == (Unknown, int)


def test_global_and_read_only_stores_are_filled_by_their_topics_and_can_only_be_read() -> None:
    """A global store needs no naming and joins no sub-topologies; a read-only one does both."""

    class Look(FixedKeyProcessor[str, Any, Any]):
        def process(self, record: FixedKeyRecord[str, Any]) -> None:
            rates, limits = self.context.store("rates"), self.context.store("limits")
            assert not hasattr(rates, "put")
            assert not hasattr(limits, "put")
            self.context.forward(record.with_value([rates.get("EUR"), limits.get(record.key)]))

    app = App("a")
    app.add_global_store("rates", "rate-topic", key=str, value=int)
    app.add_read_only_store("limits", "limit-topic", key=str, value=int)
    app.stream("in", key=str).process_values(Look, stores=["limits"]).to("out")
    app.stream("other", key=str).process_values(lambda: Look(), stores=["rates"]).to("unused")
    assert [[s.topic for s in sub.sources] for sub in app.plan().subtopologies] == [["limit-topic", "in"], ["other"]]
    with TopologyTestDriver(app) as driver:
        driver.input_topic("rate-topic", key=str, value=int).pipe(120, key="EUR", timestamp=1)
        driver.input_topic("limit-topic").pipe(7, key="k", timestamp=2)
        driver.input_topic("in").pipe({}, key="k", timestamp=3)
        assert driver.output_topic("out").read().value == [[120, 1], [7, 2]]
