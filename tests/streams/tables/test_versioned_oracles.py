"""Versioned tables against plain statements of their rules, over out-of-order input, with commits, crashes and moves in
the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams import App, Materialized
from streams.dsl.ktable import KTable
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples

MS = timedelta(milliseconds=1)


class Input(NamedTuple):
    topic: str
    key: str | None
    value: int | None
    ts: int


Result = tuple[str | None, str | int | None, int]
"""(key, value, timestamp)."""

Event = Literal["none", "commit", "crash", "move"]
"""After a record: a commit; a crash; a crash that loses the state directory."""


def inputs(*topics: str, null_keys: bool = False) -> st.SearchStrategy[list[Input]]:
    """Records whose times move on and jump back. Their values are their places, so that results tell what they met."""
    keys = st.sampled_from(["a", "b", None]) if null_keys else st.sampled_from("ab")
    there = st.sampled_from([True, True, False])
    steps = st.tuples(st.sampled_from(topics), keys, there, st.integers(0, 8), st.integers(0, 30))

    def placed(moves: list[tuple[str, str | None, bool, int, int]]) -> list[Input]:
        now, made = 0, list[Input]()
        for place, (topic, key, there, forth, back) in enumerate(moves):
            now += forth
            made.append(Input(topic, key, place if there else None, max(now - back, 0)))
        return made

    # Left to itself hypothesis likes short lists, in which little is late.
    return st.lists(steps, min_size=20, max_size=40).map(placed)


interruptions = st.lists(st.sampled_from(["none", "none", "commit", "crash", "move"]), min_size=40, max_size=40)


def run(app: App, records: Sequence[Input], events: Sequence[Event], look: Callable[[TopologyTestDriver], Any]) -> Any:
    """What `look` sees after the records; each event happens after its record."""
    with TopologyTestDriver(app, commit="manual") as driver:
        for record, event in zip(records, events, strict=False):
            driver.input_topic(record.topic).pipe(record.value, key=record.key, timestamp=record.ts)
            if event == "commit":
                driver.commit()
            elif event != "none":
                driver.restart(lose_state=event == "move")
        driver.commit()
        return look(driver)


def results(driver: TopologyTestDriver) -> list[Result]:
    return [(record.key, record.value, record.timestamp) for record in driver.output_topic("out").read_all()]


@dataclass
class Versions:
    """What a versioned table is: all records that were not too old, by key and time."""

    history: int
    now: int = -1
    known: dict[tuple[str, int], int | None] = field(default_factory=dict[tuple[str, int], "int | None"])

    def put(self, record: Input) -> Literal["dropped", "earlier", "latest"]:
        if record.key is None or record.ts < self.now - self.history:
            return "dropped"
        self.now = max(self.now, record.ts)
        self.known[record.key, record.ts] = record.value
        return "latest" if record.ts == self.newest(record.key) else "earlier"

    def newest(self, key: str | None) -> int:
        return max((ts for known, ts in self.known if known == key), default=-1)

    def latest(self, key: str | None) -> tuple[int | None, int]:
        """Value and time, (None, -1) for a key that has nothing."""
        newest = self.newest(key)
        value = None if key is None else self.known.get((key, newest))
        return (None, -1) if value is None else (value, newest)

    def as_of(self, key: str | None, time: int) -> int | None:
        newest = self.newest(key)
        if time < newest and time < self.now - self.history:
            return None  # it was replaced, and that is over by more than the history
        times = [ts for known, ts in self.known if known == key and ts <= time]
        return None if key is None or not times else self.known[key, max(times)]


def versioned(app: App, topic: str, history: int) -> KTable[str, int]:
    return app.table(topic, key=str, value=int, store=Materialized(topic, history_retention=history * MS))


@examples(50)
@given(
    records=inputs("in", "table", null_keys=True),
    events=interruptions,
    history=st.sampled_from([0, 3, 10, 50]),
    grace=st.none() | st.integers(0, 12),
    left=st.booleans(),
)
def test_stream_meets_the_version_of_its_time_at_once_or_after_its_grace(
    records: list[Input], events: list[Event], history: int, grace: int | None, left: bool
) -> None:
    if grace is not None:
        history = max(history, grace)
    table, out = Versions(history), list[Result]()
    waiting: list[tuple[int, str, int, Input]] = []
    now = -1

    def meet(record: Input) -> None:
        row = table.as_of(record.key, record.ts)
        if left or row is not None:
            out.append((record.key, f"{record.value}-{row}", record.ts))

    for arrival, record in enumerate(records):
        if record.topic == "table":
            table.put(record)
        elif record.value is None or (record.key is None and not left):
            continue
        elif record.key is None or grace is None or record.ts < now - grace:
            meet(record)
        else:
            now = max(now, record.ts)
            waiting.append((record.ts, record.key, arrival, record))
            due = sorted(each for each in waiting if each[0] <= now - grace)
            waiting = [each for each in waiting if each[0] > now - grace]
            for *_, each in due:
                meet(each)

    app = App("app")
    stream, right = app.stream("in", key=str, value=int), versioned(app, "table", history)
    join = stream.left_join if left else stream.join
    options: dict[str, Any] = {} if grace is None else {"grace": grace * MS}
    joined: Any = join(right, lambda mine, theirs: f"{mine}-{theirs}", value=str, **options)
    joined.to("out")
    assert run(app, records, events, results) == out


def joined_value(kind: str, left: int | None, right: int | None) -> str | None:
    there = {"inner": left is not None and right is not None, "left": left is not None}
    return f"{left}-{right}" if there.get(kind, left is not None or right is not None) else None


@examples(50)
@given(
    records=inputs("L", "R"),
    events=interruptions,
    kind=st.sampled_from(["inner", "left", "outer"]),
    histories=st.tuples(*[st.sampled_from([None, 0, 5, 40])] * 2),
)
def test_table_joins_follow_the_latest_versions_only(
    records: list[Input], events: list[Event], kind: str, histories: tuple[int | None, int | None]
) -> None:
    """A side without a history is a plain table, in which the last record counts, whatever its time."""
    sides = {
        name: history if history is None else Versions(history) for name, history in zip("LR", histories, strict=True)
    }
    plain: dict[str, dict[str, tuple[int | None, int]]] = {"L": {}, "R": {}}

    def row(side: str, key: str) -> tuple[int | None, int]:
        table = sides[side]
        return plain[side].get(key, (None, -1)) if table is None else table.latest(key)

    out: list[Result] = []
    for record in records:
        side, key, new, ts = record.topic, str(record.key), record.value, record.ts
        other = "R" if side == "L" else "L"
        old, table = row(side, key)[0], sides[side]
        if table is None:
            plain[side][key] = (None, -1) if new is None else (new, ts)
        elif table.put(record) != "latest":
            continue
        theirs, their_ts = row(other, key)
        may_miss = kind == "outer" or (kind == "left" and side == "L")
        if theirs is not None or (may_miss and (new is not None or old is not None)):
            value = joined_value(kind, *((new, theirs) if side == "L" else (theirs, new)))
            out.append((key, value, max(ts, their_ts)))

    app = App("app")
    left, right = (
        app.table(name, key=str, value=int) if history is None else versioned(app, name, history)
        for name, history in zip("LR", histories, strict=True)
    )
    method = {"inner": left.join, "left": left.left_join, "outer": left.outer_join}[kind]
    table: Any = method(right, lambda mine, theirs: f"{mine}-{theirs}", value=str)
    table.to_stream().to("out")
    assert run(app, records, events, results) == out


@examples(40)
@given(records=inputs("table"), events=interruptions, history=st.sampled_from([0, 4, 15, 100]))
def test_versioned_table_knows_each_moment_of_its_history(
    records: list[Input], events: list[Event], history: int
) -> None:
    """Its stream shows every record that was not too old; a count of it is one of the latest versions."""
    table = Versions(history)
    out = [(r.key, r.value, r.ts) for r in records if table.put(r) != "dropped"]

    app = App("app")
    source = versioned(app, "table", history)
    source.to_stream().to("out")
    source.group_by(lambda k, v: (v % 3, v), key=int, value=int).count(store="counts")

    def look(driver: TopologyTestDriver) -> None:
        assert results(driver) == out
        store = driver.store("table")
        for key in "ab":
            row = store.record(key)
            assert ((None, -1) if row is None else (row.value, row.timestamp)) == table.latest(key)
            for time in range(max(r.ts for r in records) + 2):
                version = store.as_of(key, time)
                assert (None if version is None else version.value) == table.as_of(key, time)
        latest = [value for value, _ in map(table.latest, "ab") if value is not None]
        counts = {group: count for group, count in driver.store("counts").all().items() if count}
        assert counts == {group: sum(v % 3 == group for v in latest) for group in {v % 3 for v in latest}}

    run(app, records, events, look)
