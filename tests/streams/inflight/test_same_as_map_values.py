"""Whatever takes how long: what comes out, and in which order, is what `map_values` in its place gives."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, Json, KStream, Processor, ProcessorContext, Record, Stores, join_window, session, tumbling
from streams.compile.program import NO_LIMIT
from tests.streams.examples import examples
from tests.streams.inflight.one_task import OneTask

MS = timedelta(milliseconds=1)
Stream = KStream[Any, Any]
Step = Callable[[Stream], Stream]


def plus_one(value: Any) -> Any:
    return value + 1


async def plus_one_later(value: Any) -> Any:
    await asyncio.sleep(value * 7 % 10 / 1000)
    return value + 1


def at_once(stream: Stream) -> Stream:
    return stream.map_values(plus_one, value=int)


def by_call(stream: Stream) -> Stream:
    return stream.map_async(plus_one_later, concurrency=4, value=int)


def by_batch(stream: Stream) -> Stream:
    return stream.map_batch(lambda values: [plus_one(value) for value in values], max_size=3, value=int)


def by_both(stream: Stream) -> Stream:
    """One more than `by_call`: see `twice`."""
    return by_batch(by_call(stream))


def twice(stream: Stream) -> Stream:
    return at_once(at_once(stream))


class Clocked(Processor[str, Any, str, Any]):
    """Tells the time it is by the task's clock with every record, what its store still has, and every 10 ms a tick."""

    def init(self, context: ProcessorContext[str, Any]) -> None:
        super().init(context)
        self.rows = context.store("rows")
        context.schedule(10 * MS, "stream_time", self.tick)

    def process(self, record: Record[str, Any]) -> None:
        had = self.rows.get(record.key)
        self.rows.put(record.key, record.value)
        self.context.forward(record.with_value([record.value, had, self.context.stream_time]))

    def tick(self, now: int) -> None:
        self.context.forward(Record("tick", ["tick", now], now))


def to_out(stream: Stream) -> None:
    stream.to("out", value=Json())


def closing_windows(stream: Stream) -> None:
    windowed = stream.group_by_key().windowed_by(tumbling(10 * MS, grace=3 * MS), emit="close", late=late)
    to_out(windowed.count().to_stream().map(lambda k, v: (k.key, [v, k.start]), key=str, value=Json()))


def late(stream: Stream) -> None:
    stream.map_values(lambda v: ["late", v], value=Json()).to("late")


def sessions(stream: Stream) -> None:
    windowed = stream.group_by_key().windowed_by(session(4 * MS, grace=2 * MS), emit="close")
    to_out(windowed.count().to_stream().map(lambda k, v: (k.key, [v, k.start]), key=str, value=Json()))


def clocked(stream: Stream) -> None:
    rows = Stores.key_value("rows", key=str, value=int, ttl=15 * MS)
    to_out(stream.process(Clocked, stores=[rows], key=str, value=Json()))


def between(step: Step, stream: Stream) -> None:
    """Windows between two of them."""
    windowed = step(stream).group_by_key().windowed_by(tumbling(10 * MS, grace=3 * MS), emit="close").count()
    again = step(windowed.to_stream().map(lambda k, v: (k.key, v), key=str, value=int))
    closing_windows(again)


def clocked_before(step: Step, stream: Stream) -> None:
    rows = Stores.key_value("rows", key=str, value=int, ttl=15 * MS)
    before = stream.process(Clocked, stores=[rows], key=str, value=Json()).filter(lambda k, v: v[0] != "tick")
    to_out(step(before.map_values(lambda v: v[2], value=int)))


def several(step: Step, stream: Stream) -> None:
    """Of each record none, or more than there is room for."""
    to_out(step(stream.flat_map_values(lambda v: range(v), value=int)))


def merged_again(step: Step, stream: Stream) -> None:
    """Some records go past the operator, and meet the others in windows."""
    ways = stream.split().branch(lambda k, v: v % 2 == 0, name="even").default_branch(name="odd")
    closing_windows(step(ways["even"]).merge(ways["odd"]))


def two_ways(step: Step, stream: Stream) -> None:
    ways = stream.split().branch(lambda k, v: v % 2 == 0, name="even").default_branch(name="odd")
    closing_windows(step(ways["even"]).merge(step(ways["odd"])))


def own_table(step: Step, stream: Stream) -> None:
    """Records meet the newest value of their key as it was when they came."""
    newest = stream.group_by_key().reduce(lambda one, other: other, store="newest")
    to_out(step(stream).join(newest, lambda one, other: [one, other], value=Json()))


def own_join(step: Step, stream: Stream) -> None:
    windows = join_window(5 * MS, grace=2 * MS)
    to_out(step(stream).outer_join(stream, lambda one, other: [one, other], windows=windows, value=Json()))


TOPOLOGIES: dict[str, Callable[[Step, Stream], None]] = {
    "out": lambda step, stream: to_out(step(stream)),
    "windows": lambda step, stream: closing_windows(step(stream)),
    "sessions": lambda step, stream: sessions(step(stream)),
    "processor": lambda step, stream: clocked(step(stream)),
    "between": between,
    "processor before": clocked_before,
    "several": several,
    "merged again": merged_again,
    "two ways": two_ways,
    "own table": own_table,
    "own join": own_join,
}


class Act(NamedTuple):
    """A record (key, value, how much older than the newest), a watermark (how far behind it), or time to work, ms."""

    kind: str
    key: str
    number: int
    back: int


acts = st.lists(
    st.one_of(
        st.builds(Act, st.just("record"), st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 12)),
        st.builds(Act, st.just("mark"), st.just(""), st.just(0), st.integers(0, 30)),
        st.builds(Act, st.just("work"), st.just(""), st.integers(1, 8), st.just(0)),
    ),
    max_size=60,
)


@functools.cache
def app_of(topology: str, step: Step, *, through: bool) -> App:
    app = App("app")
    stream = app.stream("in", key=str, value=int)
    TOPOLOGIES[topology](step, stream.repartition(name="first") if through else stream)
    return app


def outcome(app: App, script: list[Act], *, through: bool) -> tuple[Any, ...]:
    topic = "app-first-repartition" if through else "in"
    with OneTask(app, topic, watermark=-1 if through else NO_LIMIT) as task:
        now, told = 0, -1
        for act in script:
            if act.kind == "record":
                now += act.number
                value = act.number.to_bytes(8, "big", signed=True)
                task.pipe((act.key, value, max(now - act.back, 0)), headers=[("n", act.key.encode())])
            elif act.kind == "mark" and through:
                told = max(told, now - act.back)
                task.watermark(told)
            elif act.kind == "work":
                task.work(act.number / 1000)
        task.finish()
        return task.sent, task.counters.dropped_late, task.program.clocks()


STEPS = {"map_async": (by_call, at_once), "map_batch": (by_batch, at_once), "both": (by_both, twice)}


@pytest.mark.parametrize("through", [False, True], ids=["stream", "repartition"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("step", STEPS)
@examples(25)
@given(script=acts)
def test_records_in_flight_come_out_as_if_nothing_took_time(
    step: str, topology: str, through: bool, script: list[Act]
) -> None:
    flying, plain = STEPS[step]
    expected = outcome(app_of(topology, plain, through=through), script, through=through)
    came = outcome(app_of(topology, flying, through=through), script, through=through)
    if topology == "own join":  # of one record that takes both ways, the one past the operator is the first
        expected, came = (sorted(expected[0]), *expected[1:]), (sorted(came[0]), *came[1:])
    assert came == expected


def test_script_reaches_what_it_is_for() -> None:
    """Windows that close while records are in flight, with late ones among them."""
    script = [Act("record", "ab"[i % 2], 4, 25 if i % 5 == 4 else 0) for i in range(40)]
    sent, dropped, _ = outcome(app_of("windows", by_call, through=False), script, through=False)
    assert {topic for topic, *_ in sent} == {"out", "late"}
    assert dropped == sum(topic == "late" for topic, *_ in sent)
    assert msgspec.json.decode(sent[0][2])
