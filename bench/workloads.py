"""The workloads of the benchmark. Their programs have their names."""

from __future__ import annotations

from typing import Any

from bench.events import EventPairs, Events
from bench.flights import DelayTally, Flights
from bench.nexmark.workloads import NEXMARK
from bench.orders import Orders
from bench.truth import Sum, Truth
from bench.users import EventsOfUsers
from bench.workload import Workload


def all_cents() -> Sum:
    return Sum("cents", "all")


def newest_counts() -> Sum:
    return Sum("count", "newest")


def all_counts() -> Sum:
    return Sum("count", "all")


def counted_twice(events: Events) -> Truth:
    return events.counted(2)


def window_count(name: str, title: str, users: int, events: int) -> Workload[Events]:
    return Workload(name, title, Events, Events.counted, newest_counts, events, users=users, module="window_count")


COLLAPSED = "window_count_collapsed"

WORKLOADS: dict[str, Workload[Any]] = {
    workload.name: workload
    for workload in (
        Workload("filter_map", "W1 filter and map", Events, Events.large, all_cents, 2_500_000),
        window_count("window_count", "W2 window count, 1,000 keys", 1_000, 1_200_000),
        window_count("window_count_10k", "W2 window count, 10,000 keys", 10_000, 800_000),
        window_count("window_count_100k", "W2 window count, 100,000 keys", 100_000, 800_000),
        Workload(
            COLLAPSED,
            "W2 window count, 1,000 keys, collapsed per commit",
            Events,
            Events.counted_at_last,
            newest_counts,
            2_000_000,
            progress="commits",
            module="window_count",
            programs={"headrace": ["bench.headrace.window_count"], "kafka_streams": ["window_count"]},
        ),
        Workload("stream_table_join", "W3 stream-table join", EventsOfUsers, EventsOfUsers.named, all_cents, 2_000_000),
        Workload("flights", "W4 flights", Flights, Flights.delays, DelayTally, 800_000, progress="commits"),
        Workload("stream_stream_join", "W5 stream-stream join", EventPairs, EventPairs.met, all_cents, 600_000),
        Workload("session_count", "W6 session windows", Events, Events.sessions, newest_counts, 700_000),
        Workload("table_table_join", "W7 table-table join", EventPairs, EventPairs.updates, all_cents, 1_200_000),
        Workload(
            "foreign_key_join", "W7 foreign-key join", Orders, Orders.named, all_cents, 600_000, progress="commits"
        ),
        *NEXMARK,
        Workload(
            "closed_windows", "counts of closed windows", Events, Events.closed, all_counts, 1_500_000, by_hand=True
        ),
        Workload("hopping_count", "hopping windows", Events, counted_twice, newest_counts, 1_000_000, by_hand=True),
        Workload("running_count", "running count", Events, Events.counted, newest_counts, 1_500_000, by_hand=True),
    )
}
