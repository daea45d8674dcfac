"""What the generators say must come out, against plainer ways to work it out."""

from __future__ import annotations

from itertools import pairwise

from bench.events import GAP_MS, REACH_MS, EventPairs, Events
from bench.flights import DelayTally, Flights, Numbers
from bench.truth import Sum, Truth
from streams.demo.batch_answer import batch_answer
from streams.demo.dataset import read_flights


def test_flights_truth_is_what_arrow_says_of_the_same_flights() -> None:
    truth = Flights(20_000, 0).delays()
    batch = batch_answer(read_flights(rows=20_000))
    assert truth.records == sum(row.flights for row in batch.values())
    assert truth.days.keys() == {(day.state, day.day) for day in batch}
    for day, row in batch.items():
        assert not truth.days[day.state, day.day].differs(Numbers(row.flights, row.mean_delay, row.worst))


def test_flights_beyond_the_sample_fly_again_later() -> None:
    flights = [(flight.ts, flight.origin) for flight in Flights(500_010, 0)]
    assert len(flights) == 500_010
    assert [origin for _, origin in flights[500_000:]] == [origin for _, origin in flights[:10]]
    assert flights[500_000][0] > flights[499_999][0]


def test_delay_tally_says_how_many_were_counted() -> None:
    data = Flights(100, 0)
    truth, tally = data.delays(), DelayTally()
    for (state, start), numbers in truth.days.items():
        value = {"start": start, "flights": numbers.flights, "mean_delay": numbers.mean_delay, "worst": numbers.worst}
        tally.add(state.encode(), value)
    tally.records = truth.records
    assert tally.problem(truth) is None
    assert tally.counted() == truth.records
    tally.days.popitem()
    assert "1 of" in (tally.problem(truth) or "")


def test_joined_truth_is_what_two_loops_find() -> None:
    pairs = EventPairs(600, 5)
    met = [
        left.cents + right.cents
        for left in pairs.left
        for right in pairs.right
        if left.user == right.user and abs(left.ts - right.ts) <= REACH_MS
    ]
    assert pairs.met() == Truth(len(met), sum(met))


def test_session_truth_is_what_whole_lists_of_times_say() -> None:
    """Each event makes one record, and deletes the session that it goes on from."""
    events = Events(20_000, 30)
    times: dict[str, list[int]] = {}
    for event in events.events:
        times.setdefault(event.user, []).append(event.ts)
    deleted = sum(0 < after - before <= GAP_MS for each in times.values() for before, after in pairwise(each))
    assert events.sessions() == Truth(20_000 + deleted, 20_000)


def test_events_are_the_same_each_time() -> None:
    events = Events(100, 10)
    assert list(events.topics()["events"]) == list(events.topics()["events"])


def test_sum_of_newest_forgets_what_was_deleted_and_keeps_windows_apart() -> None:
    tally = Sum("count", "newest")
    tally.add(b"a", {"count": 1, "start": 0})
    tally.add(b"a", {"count": 2, "start": 10})
    tally.add(b"a", {"count": 3, "start": 10})
    tally.add(b"b", {"count": 5})
    tally.add(b"b", None)
    assert tally.problem(Truth(5, 4)) is None
    assert tally.problem(Truth(None, 4)) is None
    assert "5 records with a total of 4, instead of 6 with 4" in (tally.problem(Truth(6, 4)) or "")
