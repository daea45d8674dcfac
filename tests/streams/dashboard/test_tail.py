"""What a live tail takes, shows and leaves out, on a topic that is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Message

from streams.dashboard.record_filter import RecordFilter
from streams.dashboard.record_view import RecordView
from streams.dashboard.tail import MOST_BEHIND, SHOWN_RECORDS, Tail


@dataclass(frozen=True)
class Record:
    """What a consumer hands out."""

    number: int

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.number

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"%d" % self.number

    def headers(self) -> None:
        return None

    def error(self) -> None:
        return None


class Feed:
    """One partition, on which `arrived` records are; their values are their offsets."""

    def __init__(self, arrived: int) -> None:
        self.arrived = arrived
        self.at = 0

    def fetch(self, count: int) -> Sequence[Message]:
        found: list[Any] = [Record(offset) for offset in range(self.at, min(self.at + count, self.arrived))]
        self.at += len(found)
        return found

    def end(self, partition: int) -> int | None:
        return self.arrived

    def skip_to(self, offsets: Mapping[int, int]) -> None:
        self.at = offsets[0]


def tail(feed: Feed, *, start: int = 0, end: int | None = None, where: str = "", tick_s: float = 0.0) -> Tail:
    """`tick_s`: how long the clock says that a record takes."""
    now = [0.0]

    def clock() -> float:
        now[0] += tick_s
        return now[0]

    feed.at = start
    ends = {0: feed.arrived if end is None else end}
    return Tail("t", feed, RecordView(None), RecordFilter("", where), starts={0: start}, ends=ends, clock=clock)


def values(batch: dict[str, Any]) -> list[int]:
    return [int(record["value"]["text"]) for record in batch["records"]]


def test_what_was_there_is_shown_piece_by_piece_and_nothing_is_left_out() -> None:
    reading = tail(Feed(120))
    batches = [reading.step() for _ in range(4)]
    assert [len(values(batch)) for batch in batches] == [50, 50, 20, 0]
    assert [value for batch in batches for value in values(batch)] == list(range(120))
    assert [batch["live"] for batch in batches] == [False, False, True, True]
    assert batches[-1]["dropped"] == 0


def test_live_burst_is_shown_by_its_newest_and_the_rest_is_counted() -> None:
    feed = Feed(10)
    reading = tail(feed, start=10)
    assert reading.step()["records"] == []
    feed.arrived = 310
    batch = reading.step()
    assert values(batch) == list(range(310 - SHOWN_RECORDS, 310))
    assert (batch["read"], batch["shown"], batch["dropped"]) == (300, SHOWN_RECORDS, 250)


def test_live_tail_that_is_too_far_behind_jumps_to_the_end() -> None:
    """Its time is bounded; where that is not enough for all that comes, it keeps up with the topic instead."""
    feed = Feed(0)
    reading = tail(feed, tick_s=0.005)
    reading.step()
    feed.arrived = MOST_BEHIND * 2
    before = reading.step()
    assert 0 < before["read"] < 10
    after = reading.step()
    assert min(values(after)) >= feed.arrived - SHOWN_RECORDS
    assert before["dropped"] == feed.arrived - SHOWN_RECORDS - before["read"]


def test_work_of_a_batch_is_bounded_by_time() -> None:
    reading = tail(Feed(10_000), where="F.value < 0", tick_s=0.001)
    assert reading.step()["read"] < 25


def test_record_on_which_the_expression_fails_is_counted_and_not_shown() -> None:
    batch = tail(Feed(3), where="F.value.name == 'x'").step()
    assert (batch["records"], batch["failed"], batch["read"]) == ([], 3, 3)
