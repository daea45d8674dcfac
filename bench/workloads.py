"""The workloads: the topics that each reads, and what must come out. Their programs have their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bench.events import EventPairs, Events
from bench.orders import Orders
from bench.topics import Row
from bench.truth import Tally, Truth


class Data(Protocol):
    """What the topics of a workload hold; `records` is what rates are counted in."""

    @property
    def records(self) -> int: ...
    def topics(self) -> Mapping[str, Iterable[Row]]:
        """Topics, in the order in which programs are told of them, and their rows in order of time."""
        ...


D = TypeVar("D", bound=Data)


@dataclass(frozen=True, slots=True)
class Workload(Generic[D]):
    name: str
    data: Callable[[int, int], D]
    """Makes so many records of so many users."""
    truth: Callable[[D], Truth]
    tally: Callable[[], Tally]
    by_hand: bool = False
    """Not run unless asked for."""


def all_cents() -> Tally:
    return Tally("cents", "all")


def newest_counts() -> Tally:
    return Tally("count", "newest")


def all_counts() -> Tally:
    return Tally("count", "all")


def counted_twice(events: Events) -> Truth:
    return events.counted(2)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("filter_map", Events, Events.large, all_cents),
        Workload("window_count", Events, Events.counted, newest_counts),
        Workload("session_count", Events, Events.sessions, newest_counts),
        Workload("closed_windows", Events, Events.closed, all_counts),
        Workload("stream_stream_join", EventPairs, EventPairs.met, all_cents),
        Workload("table_table_join", EventPairs, EventPairs.updates, all_cents),
        Workload("foreign_key_join", Orders, Orders.named, all_cents),
        Workload("hopping_count", Events, counted_twice, newest_counts, by_hand=True),
        Workload("running_count", Events, Events.counted, newest_counts, by_hand=True),
    )
}
