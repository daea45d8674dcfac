"""`suppress` against a plain statement of its rules, over out-of-order input, with commits, crashes and moves in the
middle; and that what comes out does not depend on where batches end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import (
    App,
    BufferConfig,
    Json,
    hopping,
    session,
    sliding,
    tumbling,
    until_time_limit,
    until_window_closes,
)
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.windows.interrupted import (
    MS,
    Event,
    Interrupted,
    Record,
    append,
    gathering,
    inputs,
    interruptions,
    shown,
)
from tests.streams.windows.test_window_oracles import joined, time_oracle


class Change(NamedTuple):
    key: Any
    value: Any
    ts: int


def suppressed(
    changes: Iterable[Change],
    *,
    wait: int,
    time_of: Callable[[Change], int],
    order: Callable[[Any], Any],
    final: bool = False,
    most: int | None = None,
) -> list[Change]:
    """The rules word for word: put in, let out what is due, then the oldest while there are too many."""
    now, waiting, out = -1, dict[Any, tuple[int, Change]](), list[Change]()
    for change in changes:
        now = max(now, change.ts)
        time = waiting[change.key][0] if change.key in waiting else time_of(change)
        waiting[change.key] = time, change
        for key in sorted(waiting, key=lambda key: (waiting[key][0], order(key))):
            if waiting[key][0] + wait > now and (most is None or len(waiting) <= most):
                break
            _, last = waiting.pop(key)
            if not final or last.value is not None:
                out.append(last)
    return out


def sometimes_nothing(value: int) -> int | None:
    return value if value % 4 else None


def limited(limit: int, most: int | None) -> App:
    app = App("app")
    buffer = BufferConfig.unbounded() if most is None else BufferConfig.max_records(most)
    table = app.table("in", key=str, value=Json()).map_values(sometimes_nothing, value=Json())
    table.suppress(until_time_limit(limit * MS, buffer)).to_stream().to("out")
    return app


def expected_limited(records: list[Record], limit: int, most: int | None) -> list[Change]:
    return suppressed(
        [Change(key, sometimes_nothing(place), ts) for place, (key, ts) in enumerate(records)],
        wait=limit,
        time_of=lambda change: change.ts,
        order=lambda key: key,
        most=most,
    )


def many_keys(longest: int = 40) -> st.SearchStrategy[list[Record]]:
    steps = st.tuples(st.sampled_from("abcdef"), st.integers(0, 12), st.integers(0, 40))

    def placed(moves: list[tuple[str, int, int]]) -> list[Record]:
        now, made = 0, list[Record]()
        for key, forth, back in moves:
            now += forth
            made.append(Record(key, max(now - back, 0)))
        return made

    return st.lists(steps, min_size=1, max_size=longest).map(placed)


@examples(50)
@given(
    records=many_keys(),
    events=interruptions(),
    limit=st.integers(0, 60),
    most=st.none() | st.integers(0, 4),
)
def test_suppress_until_a_time_limit_gives_what_the_rules_say(
    records: list[Record], events: list[Event], limit: int, most: int | None
) -> None:
    app = limited(limit, most)
    task = Interrupted(app, app.plan().subtopologies[0].stores[0].key_serde)
    results = [Change(r.key, r.value, r.ts) for r in task.run(records, events)]
    assert results == expected_limited(records, limit, most)


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
def test_suppress_restarted_in_the_driver_gives_what_the_rules_say(stores: Any) -> None:
    @examples(25 if stores == "memory" else 10)
    @given(
        records=many_keys(25),
        restarts=st.lists(st.sampled_from(["", "", "", "commit", "restart", "lose"]), min_size=25, max_size=25),
        limit=st.integers(0, 40),
        most=st.none() | st.integers(1, 3),
    )
    def check(records: list[Record], restarts: list[str], limit: int, most: int | None) -> None:
        with TopologyTestDriver(limited(limit, most), stores=stores, commit="manual") as driver:
            topic = driver.input_topic("in")
            for place, (key, ts) in enumerate(records):
                topic.pipe(place, key=key, timestamp=ts)
                if restarts[place] == "commit":
                    driver.commit()
                elif restarts[place]:
                    driver.restart(lose_state=restarts[place] == "lose")
            results = [Change(r.key, r.value, r.timestamp) for r in driver.output_topic("out").read_all()]
            assert results == expected_limited(records, limit, most)

    check()


def final_results(windows: Any, merger: Any = None) -> Interrupted:
    """As `gathering`, with `suppress` behind it."""
    app = App("app")
    grouped = app.stream("in", key=str, value=Json()).group_by_key()
    more = {} if merger is None else {"merger": merger}
    table = grouped.windowed_by(windows).aggregate(list, append, value=Json(), retention=100_000 * MS, **more)
    table.suppress(until_window_closes()).to_stream().to("out")
    return Interrupted(app, table.node.schema.key_serde())


@examples(40)
@given(
    records=inputs(),
    events=interruptions(),
    size=st.integers(1, 25),
    overlap=st.integers(1, 3),
    grace=st.integers(0, 20),
)
def test_suppress_until_time_windows_close_gives_what_the_rules_say(
    records: list[Record], events: list[Event], size: int, overlap: int, grace: int
) -> None:
    """Of the windows that the plain rules of time windows give; and each comes out once."""
    windows = hopping(size * MS, max(1, size // overlap) * MS, grace=grace * MS)
    updates, _ = time_oracle(windows, records, "update")
    results = suppressed(
        [Change((key, start, end), list(value), ts) for key, start, end, value, ts in updates],
        wait=grace,
        time_of=lambda change: change.key[2],
        order=lambda key: key[:2],
        final=True,
    )
    found = shown(final_results(windows).run(records, events))
    assert found == [(*change.key, change.value, change.ts) for change in results]
    assert len({row[:3] for row in found}) == len(found)


@examples(25)
@given(records=inputs(), events=interruptions(), length=st.integers(0, 15), grace=st.integers(0, 20))
def test_suppress_until_sliding_windows_and_sessions_close_gives_what_the_rules_say(
    records: list[Record], events: list[Event], length: int, grace: int
) -> None:
    """Of the updates that the aggregations give, which have oracles of their own."""
    for windows, merger, wait in [
        (sliding(length * MS, grace=grace * MS), None, grace),
        (session(length * MS, grace=grace * MS), joined, length + grace),
    ]:
        updates = shown(gathering(windows, merger=merger).run(records))
        results = suppressed(
            [Change((key, start, end), value, ts) for key, start, end, value, ts in updates],
            wait=wait,
            time_of=lambda change: change.key[2],
            order=lambda key: (key[0], key[2], key[1]),
            final=True,
        )
        found = shown(final_results(windows, merger).run(records, events))
        assert found == [(*change.key, change.value, change.ts) for change in results]


@examples(25)
@given(records=inputs(), events=interruptions(), size=st.integers(1, 25), grace=st.integers(0, 20))
def test_suppressed_windows_are_those_of_emit_on_close(
    records: list[Record], events: list[Event], size: int, grace: int
) -> None:
    """Two ways to final results that agree on tumbling windows, but for the moment: suppress looks at the time of
    results, emission on close at that of records, which is the same where they are in order."""
    records = sorted(records, key=lambda record: record.ts)
    windows = tumbling(size * MS, grace=grace * MS)
    one = shown(final_results(windows).run(records, events))
    assert one == shown(gathering(windows, "close").run(records))
