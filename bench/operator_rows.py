"""One small topology for each operator, over the events of W1 and W2."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from streams import (
    App,
    F,
    FixedKeyProcessor,
    FixedKeyRecord,
    Json,
    KStream,
    KTable,
    Materialized,
    Processor,
    ProcessorContext,
    Record,
    Stores,
    count,
    hopping,
    join_window,
    max_,
    mean,
    session,
    sliding,
    tumbling,
    until_time_limit,
    until_window_closes,
)


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


class User(msgspec.Struct):
    name: str
    city: str


class Inputs:
    """`events`, keyed by user; `users`, a row for each; `everywhere`, the same as a global table."""

    def __init__(self, app: App) -> None:
        self.app = app

    @property
    def events(self) -> KStream[str, Event]:
        return self.app.stream("events", key=str, value=Event, timestamp=F.ts)

    def more_events(self) -> KStream[str, Event]:
        return self.app.stream("more-events", key=str, value=Event, timestamp=F.ts)

    def users(self) -> KTable[str, User]:
        return self.app.table("users", key=str, value=User)

    def latest(self) -> KTable[str, Event]:
        """The events as a table."""
        return self.app.table("events", key=str, value=Event, timestamp=F.ts, store="latest")

    def windowed(self, windows: Any, emit: Any = "update") -> Any:
        return self.events.group_by_key().windowed_by(windows, emit=emit)


class Counting(Processor[str, Event, str, int]):
    def init(self, context: ProcessorContext[str, int]) -> None:
        super().init(context)
        self.counts = context.store("counts")

    def process(self, record: Record[str, Event]) -> None:
        number = (self.counts.get(record.key) or 0) + 1
        self.counts.put(record.key, number)
        self.context.forward(record.with_value(number))


class ToCents(FixedKeyProcessor[str, Event, int]):
    def process(self, record: FixedKeyRecord[str, Event]) -> None:
        self.context.forward(record.with_value(int(record.value.amount * 100)))


def cents(event: Event) -> Cents:
    return Cents(event.user, int(event.amount * 100), event.ts)


def add(key: str, event: Event, total: float) -> float:
    return total + event.amount


def subtract(key: str, event: Event, total: float) -> float:
    return total - event.amount


def larger(one: Event, other: Event) -> Event:
    return one if one.amount >= other.amount else other


def named(event: Event, user: User | None) -> Cents:
    return Cents(user.name if user else "", int(event.amount * 100), event.ts)


def by_hundreds(key: str, event: Event) -> str:
    return key[:2]


S = timedelta(seconds=1)
TUMBLING, HOPPING = tumbling(10 * S, grace=S), hopping(10 * S, 5 * S, grace=S)
SLIDING, SESSION = sliding(S / 2, grace=S), session(S / 2, grace=S)
Made = KStream[Any, Any] | KTable[Any, Any] | None


async def cents_later(event: Event) -> Cents:
    return cents(event)


def batch_of_cents(events: list[Event]) -> list[Cents]:
    return [cents(event) for event in events]


def split(r: Inputs) -> Made:
    ways = r.events.split().branch(F.amount >= 50, name="high").default_branch(name="low")
    return ways["high"].merge(ways["low"])


def cogroup(r: Inputs) -> Made:
    left, right = r.events.group_by_key(), r.more_events().group_by_key()
    return left.cogroup(add).cogroup(right, add).aggregate(float, value=Json(float), store="sums")


def late(r: Inputs) -> Made:
    """Two events in three are late."""
    found: list[KStream[str, Event]] = []
    ahead = r.app.stream(
        "events", key=str, value=Event, timestamp=lambda value: value.ts + (10**9 if value.ts % 3 == 0 else 0)
    )
    ahead.group_by_key().windowed_by(TUMBLING, late=found.append).count(store="counts")
    return found[0]


def either(one: Event | None, other: Event | None) -> Event | None:
    return one or other


def self_join(r: Inputs) -> Made:
    events = r.events
    return events.join(events, larger, windows=join_window(2.5 * S, grace=S))


def process(r: Inputs) -> Made:
    return r.events.process(Counting, stores=[Stores.key_value("counts", key=str, value=int)], key=str, value=int)


ROWS: dict[str, Callable[[Inputs], Made]] = {
    "through": lambda r: r.events,
    "filter": lambda r: r.events.filter(F.amount >= 50),
    "filter (function)": lambda r: r.events.filter(lambda key, event: event.amount >= 50),
    "map": lambda r: r.events.map(lambda key, event: (event.user, cents(event)), key=str, value=Cents),
    "map_values": lambda r: r.events.map_values(cents),
    "map_async": lambda r: r.events.map_async(cents_later, concurrency=256),
    "map_batch": lambda r: r.events.map_batch(batch_of_cents, max_size=256, value=Cents),
    "flat_map": lambda r: r.events.flat_map(lambda key, event: ((key, event),), key=str, value=Event),
    "flat_map_values": lambda r: r.events.flat_map_values(lambda event: (event,), value=Event),
    "select_key": lambda r: r.events.select_key(F.user),
    "peek": lambda r: r.events.peek(lambda key, event: None),
    "foreach": lambda r: r.events.foreach(lambda key, event: None),
    "split, merge": split,
    "merge": lambda r: r.events.merge(r.more_events()),
    "repartition": lambda r: r.events.repartition(name="again"),
    "deduplicate": lambda r: r.events.deduplicate(within=S),
    "process": process,
    "process_values": lambda r: r.events.process_values(ToCents),
    "count": lambda r: r.events.group_by_key().count(store="counts"),
    "reduce": lambda r: r.events.group_by_key().reduce(larger, store="largest"),
    "aggregate": lambda r: r.events.group_by_key().aggregate(float, add, value=Json(float), store="sums"),
    "aggregate (named)": lambda r: r.events.group_by_key().aggregate(
        n=count(), worst=max_(F.amount), average=mean(F.amount), store="stats"
    ),
    "cogroup": cogroup,
    "tumbling": lambda r: r.windowed(TUMBLING).count(store="counts"),
    "tumbling, close": lambda r: r.windowed(TUMBLING, "close").count(store="counts"),
    "hopping": lambda r: r.windowed(HOPPING).count(store="counts"),
    "hopping, close": lambda r: r.windowed(HOPPING, "close").count(store="counts"),
    "sliding": lambda r: r.windowed(SLIDING).count(store="counts"),
    "sliding, close": lambda r: r.windowed(SLIDING, "close").count(store="counts"),
    "session": lambda r: r.windowed(SESSION).count(store="counts"),
    "session, close": lambda r: r.windowed(SESSION, "close").count(store="counts"),
    "late records": late,
    "table": lambda r: r.latest(),
    "table filter": lambda r: r.latest().filter(F.amount >= 50),
    "table map_values": lambda r: r.latest().map_values(cents),
    "table count": lambda r: r.latest().group_by(F.user).count(store="counts"),
    "table aggregate": lambda r: (
        r.latest().group_by(F.user).aggregate(float, add, subtract, value=Json(float), store="sums")
    ),
    "stream-table join": lambda r: r.events.join(r.users(), named),
    "stream-table join, versioned, grace": lambda r: r.events.join(
        r.app.table("users", key=str, value=User, store=Materialized("versions", history_retention=60 * S)),
        named,
        grace=S,
    ),
    "stream-stream join": lambda r: r.events.join(r.more_events(), larger, windows=join_window(2.5 * S, grace=S)),
    "stream-stream join, outer": lambda r: r.events.outer_join(
        r.more_events(), either, windows=join_window(2.5 * S, grace=S), value=Event
    ),
    "stream-stream join, self": self_join,
    "foreign-key join": lambda r: r.latest().join(r.users(), named, foreign_key=F.user, value=Cents),
    "suppress, time limit": lambda r: r.latest().suppress(until_time_limit(S)),
    "suppress, closed windows": lambda r: r.windowed(TUMBLING).count(store="counts").suppress(until_window_closes()),
    "table-table join": lambda r: r.latest().left_join(r.users(), named),
    "global join": lambda r: r.events.join(r.app.global_table("everywhere", key=str, value=User), named, on=F.user),
}
"""Name -> what is between the events and the topic `out`."""


def declare(row: str) -> App:
    app = App("bench")
    made = ROWS[row](Inputs(app))
    if isinstance(made, KTable):
        made = made.to_stream()
    if made is not None:
        made.to("out")
    return app
