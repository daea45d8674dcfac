"""Joins of streams against a plain statement of their rules, over out-of-order input, with batches that end anywhere,
commits, crashes and moves in the middle; in memory and in RocksDB."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import JoinWindows, StreamJoined
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.joins.two_streams import InterruptedJoin, Kind, Sent, Shown, join_windows, joining, oracle, sent
from tests.streams.windows.interrupted import Event, interruptions

KINDS: tuple[Kind, ...] = ("inner", "left", "outer", "self")


@pytest.mark.parametrize("kind", KINDS)
@examples(50)
@given(windows=join_windows(), records=sent(), events=interruptions(50))
def test_joins_of_streams_give_what_the_rules_say(
    kind: Kind, windows: JoinWindows, records: list[Sent], events: list[Event]
) -> None:
    """One result per pair that meets and one per record that met none, in the rules' order, whatever interrupts."""
    assert InterruptedJoin(joining(kind, windows)).join(records, events) == oracle(kind, windows, records)


@pytest.mark.parametrize("kind", KINDS)
@examples(50)
@given(windows=join_windows(), records=sent(longest=80))
def test_joins_of_streams_do_not_depend_on_where_batches_end(
    kind: Kind, windows: JoinWindows, records: list[Sent]
) -> None:
    """One batch after the other without a pause: the stores forget only now and then, the results do not show it."""
    assert InterruptedJoin(joining(kind, windows)).join(records) == oracle(kind, windows, records)


Step = Literal["go on", "commit", "restart", "lose state"]
STEPS: tuple[Step, ...] = ("go on", "go on", "go on", "commit", "restart", "lose state")


def driven(driver: TopologyTestDriver, kind: Kind, records: list[Sent], steps: list[Step]) -> list[Shown]:
    """What came to `out` by the end, with commits and restarts after records."""
    for place, (record, step) in enumerate(zip(records, steps, strict=False)):
        if kind == "self" and record.side == "right":
            continue
        driver.input_topic(record.side).pipe(None if record.null else place, key=record.key, timestamp=record.ts)
        if step == "commit":
            driver.commit()
        elif step != "go on":
            driver.restart(lose_state=step == "lose state")
    return [(record.key, record.value, record.timestamp) for record in driver.output_topic("out").read_all()]


@pytest.mark.parametrize(("stores", "persistent"), [("memory", True), ("rocksdb", True), ("rocksdb", False)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
@examples(12)
@given(
    windows=join_windows(),
    records=sent(),
    steps=st.lists(st.sampled_from(STEPS), min_size=50, max_size=50),
)
def test_joins_of_streams_go_on_after_restarts_of_the_driver(
    kind: Kind, stores: Any, persistent: bool, windows: JoinWindows, records: list[Sent], steps: list[Step]
) -> None:
    """From the last commit, with the state directory or from changelogs alone."""
    app = joining(kind, windows, store=StreamJoined(persistent=persistent))
    with TopologyTestDriver(app, stores=stores, commit="manual") as driver:
        assert driven(driver, kind, records, steps) == oracle(kind, windows, records)
