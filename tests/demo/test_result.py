"""The demo's own check of its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest

from streams.demo.batch_answer import batch_answer, compare
from streams.demo.dataset import DAY_MS, read_flights
from streams.demo.tally import DelayRow, StateDay, Tally
from tests.cli.fake_message import FakeMessage

DAY = 978307200000


def update(state: str, day: int, row: DelayRow | None) -> FakeMessage:
    key = state.encode() + day.to_bytes(8, "big")
    return FakeMessage(key_bytes=key, value_bytes=None if row is None else msgspec.json.encode(row))


def tally_of(*updates: FakeMessage) -> Tally:
    tally = Tally()
    tally.add(cast(Sequence[Any], updates))
    return tally


def row(flights: int, mean: float = 1.0, worst: int = 2) -> DelayRow:
    return DelayRow(flights=flights, mean_delay=mean, worst=worst)


def test_tally_newest_row_of_a_key_counts() -> None:
    """Later updates replace earlier ones, within a batch and across batches."""
    tally = tally_of(update("CA", DAY, row(1)), update("CA", DAY, row(2)), update("NY", DAY, row(5)))
    tally.add(cast(Sequence[Any], [update("CA", DAY, row(3))]))
    assert (tally.flights, tally.updates) == (8, 4)
    assert tally.rows() == {StateDay("CA", DAY): row(3), StateDay("NY", DAY): row(5)}


def test_tally_tombstone_removes_the_row() -> None:
    """A deleted window no longer counts."""
    assert tally_of(update("CA", DAY, row(4)), update("CA", DAY, None)).flights == 0


def test_tally_worst_orders_by_mean_and_leaves_small_days_out() -> None:
    """Worst first; a mean over few flights is no finding."""
    tally = tally_of(
        update("CA", DAY, row(50, 10.0)),
        update("NY", DAY, row(50, 30.0)),
        update("AK", DAY, row(2, 400.0)),
        update("WA", DAY, row(50, 20.0)),
    )
    assert [key.state for key, _ in tally.worst(2, at_least=30)] == ["NY", "WA"]


def test_batch_answer_counts_every_flight_of_the_sample() -> None:
    """All flights leave from known airports; counts and extremes agree with a plain loop over one state-day."""
    flights = read_flights()
    answer = batch_answer(flights)
    assert sum(window.flights for window in answer.values()) == 500_000
    assert all(key.day % DAY_MS == 0 for key in answer)
    first_day = StateDay("GA", DAY)
    delays = [
        flight["delay"]
        for flight in flights.table.slice(0, 10_000).to_pylist()
        if flight["origin"] in ("ATL", "SAV") and flight["date"].day == 1
    ]
    assert answer[first_day] == DelayRow(flights=len(delays), mean_delay=sum(delays) / len(delays), worst=max(delays))


def test_compare_equal_results_to_the_last_digits() -> None:
    """The order of addition may differ; nothing else may."""
    batch = {StateDay("CA", DAY): row(3, 10.1, 2)}
    assert compare({StateDay("CA", DAY): row(3, 10.1 + 1e-12, 2)}, batch).equal


@pytest.mark.parametrize(
    "stream",
    [
        {},
        {StateDay("CA", DAY): row(2)},
        {StateDay("CA", DAY): row(3, mean=1.0 + 1e-6)},
        {StateDay("CA", DAY): row(3, worst=3)},
        {StateDay("CA", DAY): row(3), StateDay("CA", DAY + DAY_MS): row(1)},
    ],
)
def test_compare_any_difference_names_the_window(stream: dict[StateDay, DelayRow]) -> None:
    """Missing, wrong and surplus windows are all differences."""
    comparison = compare(stream, {StateDay("CA", DAY): row(3)})
    assert not comparison.equal
    assert len(comparison.differing) == 1
    assert comparison.expected_flights == 3
