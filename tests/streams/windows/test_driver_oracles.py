"""Windowed aggregations in `TopologyTestDriver`, behind a repartition, against their rules: over out-of-order input,
with null keys and null values among it, and with crashes and lost state in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, Json, calendar, hopping, session, sliding, tumbling, unlimited
from streams.testing import TopologyTestDriver
from streams.windows import SessionWindows
from tests.streams.examples import examples
from tests.streams.windows.interrupted import MS, append, inputs
from tests.streams.windows.oracles import (
    Record,
    Shown,
    bounded_oracle,
    merged,
    session_oracle,
    sliding_bounds,
    sliding_windows,
    time_oracle,
)

Interruption = Literal["nothing", "commit", "restart", "lose"]
interruptions = st.lists(
    st.sampled_from(["nothing", "nothing", "nothing", "commit", "restart", "lose"]), min_size=30, max_size=30
)
each_emit = pytest.mark.parametrize("emit", ["update", "close"])
DAY, HOUR = 86_400_000, 3_600_000
FOREVER = 2**63 - 1


def joined(one: list[int], other: list[int]) -> list[int]:
    one.extend(other)
    return one


def gathered(windows: Any, emit: Any) -> App:
    """Lists the places of the records in each window; a record's value is its key and place."""
    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    grouped = stream.group_by(lambda place, key: None if key == "nobody" else key[:1], key=str)
    merger: dict[str, Any] = {"merger": joined} if isinstance(windows, SessionWindows) else {}
    table = grouped.windowed_by(windows, emit=emit).aggregate(
        list, lambda key, value, aggregate: append(key, int(value[1:]), aggregate), value=Json(), **merger
    )
    table.to_stream().to("out")
    return app


def driven(
    windows: Any, emit: Any, records: Sequence[Record], events: Sequence[Interruption], *, stores: Any = "memory"
) -> list[Shown]:
    """What comes out. Among the records are some that no group takes."""
    with TopologyTestDriver(gathered(windows, emit), stores=stores, commit="manual") as driver:
        topic = driver.input_topic("in")
        for place, (key, ts) in enumerate(records):
            topic.pipe(f"{key}{place}", key="any", timestamp=ts)
            if place % 7 == 3:
                topic.pipe("nobody", key="any", timestamp=10**15)
            match events[place % len(events)]:
                case "commit":
                    driver.commit()
                case "restart" | "lose" as event:
                    driver.restart(lose_state=event == "lose")
                case "nothing":
                    pass
        return shown(driver)


def shown(driver: TopologyTestDriver) -> list[Shown]:
    """What came out since it was read last."""
    results = driver.output_topic("out").read_all()
    return [(r.key.key, r.key.start, r.key.end, r.value, r.timestamp) for r in results]


@st.composite
def time_windows(draw: st.DrawFn) -> Any:
    size = draw(st.integers(1, 25))
    advance = size if draw(st.booleans()) else draw(st.integers(max(1, size // 4), size))
    offset = draw(st.integers(0, 30))
    return hopping(size * MS, advance * MS, grace=draw(st.integers(0, 20)) * MS, offset=offset * MS)


@each_emit
@examples(25)
@given(windows=time_windows(), records=inputs(longest=30), events=interruptions)
def test_driver_gives_of_time_windows_what_the_rules_say(emit: str, windows: Any, records: Any, events: Any) -> None:
    assert driven(windows, emit, records, events) == time_oracle(windows, records, emit)[0]


@examples(25)
@given(start=st.integers(0, 40), records=inputs(longest=30), events=interruptions)
def test_driver_gives_of_unlimited_windows_what_the_rules_say(start: int, records: Any, events: Any) -> None:
    taken = [(place, key, ts) for place, (key, ts) in enumerate(records) if ts >= start]
    expected: list[Shown] = []
    for number, (_, key, _) in enumerate(taken, 1):
        members = [(place, ts) for place, other, ts in taken[:number] if other == key]
        expected.append((key, start, FOREVER, [place for place, _ in members], max(ts for _, ts in members)))
    assert driven(unlimited(start=start), "update", records, events) == expected


@each_emit
@examples(25)
@given(grace=st.integers(0, 30), records=inputs(longest=30), events=interruptions)
def test_driver_gives_of_calendar_windows_what_the_rules_say(emit: str, grace: int, records: Any, events: Any) -> None:
    """Around the end of summer time in New York, 2024-11-03, which has 25 hours; one step of the input is an hour."""
    began = 1_730_433_600_000  # 2024-11-01T00:00 in New York
    bounds = [began, began + DAY, began + 2 * DAY, began + 3 * DAY + HOUR]
    bounds += [bounds[-1] + days * DAY for days in range(1, 30)]
    hours = [Record(key, began + ts * HOUR) for key, ts in records]
    windows = calendar("day", tz="America/New_York", grace=grace * HOUR * MS)
    assert driven(windows, emit, hours, events) == bounded_oracle(bounds, grace * HOUR, hours, emit)


def in_time(grace: int, records: Sequence[Record]) -> list[Record]:
    """The same records, none later than the grace."""
    newest, made = -1, list[Record]()
    for key, ts in records:
        newest = max(newest, ts)
        made.append(Record(key, max(ts, newest - grace)))
    return made


@each_emit
@examples(25)
@given(gap=st.integers(0, 15), grace=st.integers(0, 20), records=inputs(longest=30), events=interruptions)
def test_driver_gives_of_sessions_what_the_rules_say(
    emit: str, gap: int, grace: int, records: Any, events: Any
) -> None:
    """The least retention is gap + grace: what ended so long before the newest session is forgotten, as in Kafka
    Streams, with final results 1 ms later."""
    windows = session(gap * MS, grace=grace * MS)
    retention = gap + grace + (emit == "close")
    expected = session_oracle(gap, grace, records, emit, retention=retention)
    assert driven(windows, emit, records, events) == expected


@examples(25)
@given(difference=st.integers(0, 25), grace=st.integers(0, 20), records=inputs(longest=25), events=interruptions)
def test_driver_keeps_sliding_windows_as_they_are_defined_after_every_record(
    difference: int, grace: int, records: Any, events: Any
) -> None:
    records = in_time(grace, records)
    standing: dict[tuple[str, int], tuple[list[int], int]] = {}
    with TopologyTestDriver(gathered(sliding(difference * MS, grace=grace * MS), "update"), commit="manual") as driver:
        for place, (key, ts) in enumerate(records):
            driver.input_topic("in").pipe(f"{key}{place}", key="any", timestamp=ts)
            if (event := events[place]) in ("restart", "lose"):
                driver.restart(lose_state=event == "lose")  # and the record is processed again
            for changed, start, end, members, time in shown(driver):
                assert end == start + difference
                standing[changed, start] = sorted(members), time
            driver.commit()
            assert standing == sliding_windows(difference, records[: place + 1])


@examples(25)
@given(difference=st.integers(0, 25), grace=st.integers(0, 20), records=inputs(longest=25), events=interruptions)
def test_driver_gives_final_sliding_windows_as_they_are_defined(
    difference: int, grace: int, records: Any, events: Any
) -> None:
    records = in_time(grace, records)
    now = max(record.ts for record in records)
    defined = sliding_windows(difference, records)
    due = sorted((start, key) for key, start in defined if start + difference < now - grace)
    results = driven(sliding(difference * MS, grace=grace * MS), "close", records, events)
    assert [(key, start, sorted(members), ts) for key, start, _, members, ts in results] == [
        (key, start, *defined[key, start]) for start, key in due
    ]


@each_emit
@examples(25)
@given(difference=st.integers(0, 25), grace=st.integers(0, 20), records=inputs(longest=30), events=interruptions)
def test_driver_gives_of_sliding_windows_with_late_records_at_least_those_in_time(
    emit: str, difference: int, grace: int, records: Any, events: Any
) -> None:
    """Whether a record that is late for some of its windows is in the others follows from which of them there were;
    records in time are in all of theirs, and no window has a record that is out of its bounds, or twice."""
    last = {
        (key, start): members
        for key, start, _, members, _ in driven(sliding(difference * MS, grace=grace * MS), emit, records, events)
    }
    now = max(record.ts for record in records)
    bounds = sliding_bounds(difference, grace, records)
    for window, members in last.items():
        must, may = bounds[window]
        assert len(members) == len(set(members))
        assert must <= set(members) <= may
    for (key, start), (must, _) in bounds.items():
        left_of = {max(records[place].ts - difference, 0) for place in must}
        right_of = {records[place].ts + 1 for place in must if records[place].key == key}
        if must and start in left_of | right_of and (emit == "update" or start + difference < now - grace):
            assert (key, start) in last


@examples(3)
@given(records=inputs(longest=30), events=interruptions)
def test_driver_gives_the_same_on_rocksdb(records: Any, events: Any) -> None:
    for windows in (tumbling(10 * MS, grace=4 * MS), sliding(5 * MS, grace=4 * MS), session(5 * MS, grace=4 * MS)):
        on_disk = driven(windows, "update", records, events, stores="rocksdb")
        assert on_disk == driven(windows, "update", records, events)


def test_oracles_of_sessions_agree_with_each_other() -> None:
    """One states what each record does, the other what there is in the end."""
    records = [Record("a", ts) for ts in (10, 12, 20, 16, 40, 3, 33, 36)]
    rows: dict[tuple[str, int, int], list[int]] = {}
    for key, start, end, members, _ in session_oracle(5, 10_000, records, "update"):
        if members is None:
            del rows[key, start, end]
        else:
            rows[key, start, end] = sorted(members)
    assert rows == merged(5, records)
