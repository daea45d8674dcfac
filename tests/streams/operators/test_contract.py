"""What every operator owes: time passes through it without records, it declares what it holds back, functions may
change their aggregates in place, and a crash changes nothing.

The operators are found by looking through their package: one without a case in `stream_cases.py`,
`window_cases.py` or `table_cases.py` fails the suite.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec
import pytest

import streams.operators
from streams.compile.program import NO_LIMIT
from streams.graph.node import Node
from streams.operators.repartition import Repartition
from streams.testing import TopologyTestDriver
from tests.streams.operators.case import ANEW, IN_PLACE, Case, Folds
from tests.streams.operators.cases import CASES, declared
from tests.streams.operators.relay import UNKNOWN, Relay

each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
BEHIND = "app-second-repartition"


def operators() -> Iterator[type[Node]]:
    """Every operator there is: a node with a kind of its own, in the file where it is defined."""
    for module in pkgutil.iter_modules(streams.operators.__path__, "streams.operators."):
        for found in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(found) and issubclass(found, Node) and found.__module__ == module.name:
                yield from (found,) if "kind" in vars(found) else ()


class Input(NamedTuple):
    topic: str
    key: str | None
    value: int | None
    ts: int


def inputs(case: Case, count: int = 120, *, spread: int = 0, seed: int = 1) -> list[Input]:
    """Records of both topics with null keys and values among them, each up to `spread` older than the newest."""
    draw = random.Random(seed)
    now, made = 0, list[Input]()
    for _ in range(count):
        now += draw.choice((0, 1, 1, 2, 3, 9))
        ts = max(now - draw.randint(0, spread), 0) * case.unit_ms
        key = None if draw.random() < 0.05 else draw.choice("abc")
        value = None if draw.random() < 0.15 else draw.randint(0, 9)
        made.append(Input("in" if draw.random() < 0.7 else "other", key, value, ts))
    return made


def encoded(value: int | None) -> bytes | None:
    return None if value is None else msgspec.json.encode(value)


def test_every_operator_has_an_entry() -> None:
    known = {operator for case in CASES for operator in case.operators}
    there = set(operators())
    assert len(there) > 30, "the search itself is broken"
    assert {each.__name__ for each in there - known} == set(), "operators without a case"


@each_case
def test_case_has_the_operators_it_stands_for(case: Case) -> None:
    for through in (False, True):
        plan = declared(case, through=through).plan()
        nodes = [*(node for sub in plan.subtopologies for node in sub.nodes), *plan.global_tables]
        missing = {operator for operator in case.operators if not any(type(node) is operator for node in nodes)}
        assert missing - ({Repartition} if not through else set()) == set()


# -- time -------------------------------------------------------------------------------------------------------------
def readable(case: Case, records: list[Input]) -> list[Input]:
    """Those that repartition topics of the case have: no null keys are in them."""
    topics = declared(case).plan().source_topics()
    return [record for record in records if record.key is not None and record.topic in topics]


def feed(relay: Relay, records: list[Input]) -> None:
    for topic, key, value, ts in records:
        assert key is not None
        name = "first" if topic == "in" else "other-first"
        relay.pipe(f"app-{name}-repartition", key.encode(), encoded(value), ts)
        relay.tell()


def output(case: Case, relay: Relay) -> list[tuple[Any, ...]]:
    came = sorted((sent.ts, sent.key or b"", sent.value or b"") for sent in relay.sent.get(BEHIND, []))
    return [(key,) for key in sorted({key for _, key, _ in came})] if case.keys_only else came


@each_case
def test_operator_does_by_watermarks_what_it_does_by_records(case: Case) -> None:
    """All records first, while nothing is known of time; then time alone: in the end as much has come out as when each
    record moved the clock, and time has passed through."""
    records = readable(case, inputs(case))
    free = Relay(declared(case, through=True), watermark=NO_LIMIT)
    feed(free, records)
    held = Relay(declared(case, through=True), watermark=UNKNOWN)
    feed(held, records)
    if case.hold_back_ms:
        assert output(case, held) == []
        assert output(case, free) != []
    for time in sorted({record.ts for record in records}):
        held.advance(time)
    assert output(case, held) == output(case, free)
    newest = records[-1].ts
    held.advance(newest + 1000)
    assert output(case, held) == output(case, free)
    if BEHIND in held.topics:
        assert held.promised(BEHIND) == (newest - case.hold_back_ms if case.hold_back_ms else newest + 1000)


@each_case
def test_operator_lets_out_nothing_older_than_it_declared(case: Case) -> None:
    """What a task says of its time is what those behind it go by: a record below it would be dropped there as late."""
    app = declared(case, through=True)
    declarations = [s.hold_back_ms for sub in app.plan().subtopologies for s in sub.repartition_sinks]
    assert max(declarations, default=0) == case.hold_back_ms
    for watermark in (NO_LIMIT, UNKNOWN):
        relay = Relay(app, watermark=watermark)
        for record in readable(case, inputs(case)):
            feed(relay, [record])
            if watermark == UNKNOWN:
                relay.advance(record.ts)
        sent = relay.sent.get(BEHIND, [])
        assert [each for each in sent if each.ts < each.promised - case.reaches_back_ms] == []
        if case.hold_back_ms:
            assert any(each.ts < each.promised + case.hold_back_ms for each in sent), "it releases nothing late"
        if case.reaches_back_ms:
            assert any(each.ts < each.promised for each in sent)


# -- functions that change their aggregates ---------------------------------------------------------------------------
class Outcome(NamedTuple):
    output: list[tuple[Any, ...]]
    rows: dict[str, Any]
    changelogs: dict[str, Any]


Event = Literal["commit", "restart", "lose"]


def outcome(
    case: Case,
    records: list[Input],
    events: dict[int, Event],
    *,
    folds: Folds = ANEW,
    emit: str = "all",
    stores: Any = "memory",
    on_failure: str = "fail",
) -> Outcome:
    """Runs the case in the test driver; `events`: what happens after the record at that place."""
    app = declared(case, folds=folds, emit=emit, on_failure=on_failure)
    with TopologyTestDriver(app, stores=stores, commit="manual") as driver:
        topics = {topic: driver.input_topic(topic, key=bytes, value=bytes) for topic in app.plan().source_topics()}
        for topic in topics:
            if topic == "global":
                for key in "ab":
                    topics[topic].pipe(b"1", key=key.encode(), timestamp=0)
        for place, (topic, key, value, ts) in enumerate(records):
            if topic in topics:
                topics[topic].pipe(encoded(value), key=None if key is None else key.encode(), timestamp=ts)
            match events.get(place):
                case "commit":
                    driver.commit()
                case "restart" | "lose" as event:
                    driver.restart(lose_state=event == "lose")
                case None:
                    pass
        driver.commit()
        names = [plan.name for _, plan in app.plan().stores()]
        out = driver.output_topic("out", key=bytes, value=bytes).read_all()
        return Outcome(
            [(record.key, record.value, record.timestamp) for record in out],
            {name: msgspec.to_builtins(list(driver.rows(name).items()), builtin_types=(bytes,)) for name in names},
            {name: driver.changelog(name) for name in names},
        )


def commits(count: int) -> dict[int, Event]:
    return dict.fromkeys(range(9, count, 10), "commit")


@pytest.mark.parametrize(("on_failure", "emit"), [("fail", "all"), ("fail", "commit"), ("continue", "all")])
@pytest.mark.parametrize("case", [c for c in CASES if c.folds], ids=[c.name for c in CASES if c.folds])
def test_operator_takes_functions_that_change_their_aggregates_in_place(case: Case, on_failure: str, emit: str) -> None:
    records = inputs(case, spread=8)
    events = commits(len(records))
    anew = outcome(case, records, events, emit=emit, on_failure=on_failure)
    assert outcome(case, records, events, folds=IN_PLACE, emit=emit, on_failure=on_failure) == anew
    assert anew.output or case.name == "calendar at the close"
    assert any(anew.rows.values())


# -- crashes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("stores", "emit"), [("memory", "all"), ("memory", "commit"), ("rocksdb", "all")])
@each_case
def test_operator_gives_the_same_after_crash_and_restore(case: Case, stores: str, emit: str) -> None:
    records = inputs(case, 60, spread=8)
    undisturbed = commits(len(records))
    disturbed = undisturbed | {14: "restart", 22: "lose", 35: "restart", 37: "restart", 51: "lose", 57: "restart"}
    expected = outcome(case, records, undisturbed, emit=emit)
    assert outcome(case, records, disturbed, folds=IN_PLACE, emit=emit, stores=stores) == expected
