"""What generated code does when a clock has moved: by a record, by a watermark, and not otherwise."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
from msgspec.structs import replace

from streams import App, Json, KStream
from streams.compile.chain import Chain
from streams.compile.clock import on_clock, operator_clock, task_clock
from streams.compile.program import RecordFailure
from streams.compile.scope import RecordScope
from streams.context import Context
from streams.graph.node import Node
from streams.testing.message import DriverMessage
from tests.streams.topology.test_compile import Bench, message

TOPIC = "app-again-repartition"


class Every(Node, frozen=True, kw_only=True, eq=False):
    """Forwards each record, and a record of its own whenever its clock (or the task's) has gone on by `every` ms."""

    kind: ClassVar[str] = "every"
    every: int
    of_task: bool = False

    @property
    def hold_back_ms(self) -> int:
        return self.every

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        clock = task_clock(chain) if self.of_task else operator_clock(chain, self.label, self)
        event = chain.module.states.get(id(self))
        if event is None:
            due = chain.cell("due", str(self.every))

            def tick(body: Chain, released: RecordScope) -> None:
                body.line(f"{due} = now // {self.every} * {self.every} + {self.every}")
                made = replace(released, schema=self.schema, key_source="'tick'", value_source="now")
                body.forward(self, made)

            event = chain.module.states[id(self)] = on_clock(chain, self, clock, due, "tick", tick)
        if not self.of_task:
            chain.line(f"if {scope.timestamp} > {clock.time}: {clock.time} = {scope.timestamp}")
        chain.forward(self, scope)
        if not self.of_task:
            event.write_check(chain)


def ticking(*, of_task: bool = False, behind_repartition: bool = False, every: int = 10) -> App:
    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    if behind_repartition:
        stream = stream.repartition(name="again")
    node = app._builder.add(
        Every(parents=(stream._node,), schema=stream._node.schema, label="every", every=every, of_task=of_task)
    )
    KStream(app._builder, node).filter(lambda k, v: v != 13).to("out", key=str, value=Json())
    return app


def values(bench: Bench) -> list[int]:
    found = [msgspec.json.decode(value) for _, _, value, _ in bench.sent]
    bench.sent.clear()
    return found


def records(*times: int, topic: str = "in") -> list[DriverMessage]:
    return [message(ts, ts=ts, topic=topic) for ts in times]


def mark(value: int) -> DriverMessage:
    return message(None, key=None, topic=TOPIC, headers=[("mark", str(value).encode())])


@pytest.mark.parametrize("of_task", [False, True])
def test_clock_event_runs_after_the_record_that_moved_the_clock(of_task: bool) -> None:
    """Once for a jump over several due times, not for records that do not move the clock, last of the record's work."""
    bench = Bench(ticking(of_task=of_task))
    bench.run("in", records(3, 9, 12, 11, 47, 20, 50))
    assert values(bench) == [3, 9, 12, 12, 11, 47, 47, 20, 50, 50]


def test_operator_clock_is_not_moved_by_records_that_do_not_reach_it_but_the_tasks_is() -> None:
    for of_task, expected in [(False, [3]), (True, [3, 40])]:
        app = App("app")
        stream = app.stream("in", key=str, value=Json()).filter(lambda k, v: v < 30)
        node = Every(parents=(stream._node,), schema=stream._node.schema, label="every", every=10, of_task=of_task)
        KStream(app._builder, app._builder.add(node)).to("out", key=str, value=Json())
        bench = Bench(app)
        bench.run("in", records(3, 40))
        assert values(bench) == expected


@pytest.mark.parametrize("of_task", [False, True])
def test_clock_event_behind_a_repartition_waits_for_the_watermark_which_sets_it_off(of_task: bool) -> None:
    bench = Bench(ticking(of_task=of_task, behind_repartition=True), 1, watermark=-1)
    bench.run(TOPIC, records(25, 5, topic=TOPIC))
    assert values(bench) == [25, 5]
    bench.run(TOPIC, [mark(9), mark(12), mark(19)])
    assert values(bench) == [12]
    bench.run(TOPIC, [mark(21), *records(26, topic=TOPIC), mark(2**63 - 1)])
    assert values(bench) == [21, 26], "an idle upstream lets the clock go to the largest timestamp seen, no further"


def test_clock_event_that_fails_is_blamed_on_the_operator_that_failed() -> None:
    app = App("app")
    stream = app.stream("in", key=str, value=Json()).repartition(name="again")
    node = app._builder.add(Every(parents=(stream._node,), schema=stream._node.schema, label="every", every=10))
    KStream(app._builder, node).map_values(lambda v: 100 // (v - 12), name="broken").to("out", value=Json())
    bench = Bench(app, 1, watermark=-1)
    with pytest.raises(RecordFailure) as caught:
        bench.run(TOPIC, [*records(25, topic=TOPIC), mark(12)])
    assert caught.value.index == 1
    assert caught.value.node is not None
    assert caught.value.node.label == "broken"


def test_clock_event_gives_functions_a_context_without_a_record() -> None:
    seen: list[Context] = []

    def look(key: str, value: int, context: Context) -> None:
        seen.append(context)

    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    node = app._builder.add(Every(parents=(stream._node,), schema=stream._node.schema, label="every", every=10))
    KStream(app._builder, node).foreach(look)
    Bench(app).run("in", records(12))
    assert [(context.topic, context.timestamp) for context in seen] == [("in", 12), ("", 12)]
    assert (seen[1].partition, seen[1].offset, seen[1].headers) == (-1, -1, [])


def test_hold_backs_on_the_way_to_a_repartition_add_up() -> None:
    """What a task says of its progress leaves room for what its operators still hold; the longest way counts."""
    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    first = app._builder.add(Every(parents=(stream._node,), schema=stream._node.schema, label="a", every=10))
    second = app._builder.add(Every(parents=(first,), schema=stream._node.schema, label="b", every=7))
    both = KStream(app._builder, second).merge(KStream(app._builder, first))
    both.repartition(name="again").to("out")
    (sink,) = app.plan().subtopologies[0].repartition_sinks
    assert sink.hold_back_ms == 17


def test_topology_without_clock_events_pays_nothing_for_them() -> None:
    app = App("app")
    app.stream("in", key=str, value=Json()).filter(lambda k, v: v > 1).to("out")
    source = app.plan().subtopologies[0].program.source
    assert "task_time" not in source
    assert source.count("pass") < 11
