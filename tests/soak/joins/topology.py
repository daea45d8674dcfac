"""The application of the joins flow. Its workers run it as `tests.soak.joins.topology:app`.

Two kinds of outputs: behind repartition topics, where results are those of a batch computation because nothing in the
input is later than the grace; and of single partitions (`local-…`), where late records come too and every output record
is fixed by the order of the input. Windowed keys are told in the values, so that results lie in the partition of their
key, in the order in which their task made them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from streams import App, F, Json, Windowed, hopping, join_window, session, tumbling, until_window_closes

GRACE_MS = 3_000
GAP_MS = 3_000
SIZE_MS, ADVANCE_MS = 10_000, 4_000
BEFORE_MS, AFTER_MS = 4_000, 2_000
LOCAL_GRACE_MS = 1_000

MS = timedelta(milliseconds=1)
WINDOWS = join_window(BEFORE_MS * MS, AFTER_MS * MS, grace=GRACE_MS * MS)
LOCAL_WINDOWS = join_window(BEFORE_MS * MS, AFTER_MS * MS, grace=LOCAL_GRACE_MS * MS)


class Event(msgspec.Struct, frozen=True):
    """A record of any stream. `n`: its number among all inputs."""

    n: int
    user: str
    region: str
    side: str = ""


class Row(msgspec.Struct, frozen=True):
    """A row of any table. `other`: its foreign key."""

    n: int
    region: str
    other: str | None = None


class Pair(msgspec.Struct, frozen=True):
    """Of a join: the numbers of the two that met, None for one that is missing, and a region of theirs."""

    left: int | None
    right: int | None
    region: str


def pair(left: Any, right: Any) -> Pair:
    return Pair(left and left.n, right and right.n, (left or right).region)


def with_right_region(left: Row, right: Row | None) -> Pair:
    return Pair(left.n, right and right.n, right.region if right else "none")


def put_in(key: str, event: Event, numbers: list[int]) -> list[int]:
    numbers.append(event.n)
    return numbers


def put_pair_in(key: str, met: Pair, numbers: list[Any]) -> list[Any]:
    numbers.append([met.left, met.right])
    return numbers


def together(one: list[int], other: list[int]) -> list[int]:
    one.extend(other)
    return one


def told(key: Windowed[str], numbers: Any) -> tuple[str, Any]:
    """A window's result under its plain key."""
    return key.key, [key.start, key.end, numbers]


def tell(table: Any, topic: str) -> None:
    table.to_stream().map(told, key=str, value=Json()).to(topic)


app = App("soak-joins", watermark_idle_timeout=timedelta(minutes=5))  # idleness is for inputs that have ended

# streams that meet behind repartition topics
orders = app.stream("orders", key=str, value=Event).select_key(F.user, key=str).repartition(name="orders")
payments = app.stream("payments", key=str, value=Event).select_key(F.user, key=str).repartition(name="payments")
orders.join(payments, pair, windows=WINDOWS, value=Pair, store="inner").to("inner")
orders.left_join(payments, pair, windows=WINDOWS, value=Pair, store="left").to("left")
outer = orders.outer_join(payments, pair, windows=WINDOWS, value=Pair, store="outer")
outer.to("outer")
# a second hop; it needs no grace, for the join holds its watermark back
regions = outer.group_by(F.region, key=str, name="regions").windowed_by(tumbling(SIZE_MS * MS, grace=0 * MS))
tell(regions.aggregate(list, put_pair_in, value=Json(), store="regions").suppress(until_window_closes()), "regions")

# sessions and windows behind a repartition topic
clicks = app.stream("clicks", key=str, value=Event).group_by(F.user, key=str, name="clicks")
sessions = session(GAP_MS * MS, grace=GRACE_MS * MS)
for emit in ("update", "close"):
    table = clicks.windowed_by(sessions, emit=emit)
    tell(table.aggregate(list, put_in, together, value=Json(), store=f"sessions-{emit}"), f"sessions-{emit}")
suppressed = clicks.windowed_by(tumbling(SIZE_MS * MS, grace=GRACE_MS * MS))
tell(suppressed.aggregate(list, put_in, value=Json(), store="suppressed").suppress(until_window_closes()), "suppressed")
closed = clicks.windowed_by(hopping(SIZE_MS * MS, ADVANCE_MS * MS, grace=GRACE_MS * MS), emit="close")
tell(closed.aggregate(list, put_in, value=Json(), store="hopping"), "hopping")

# single partitions, late records and all
readings = app.stream("readings", key=str, value=Event)
left, right = (readings.filter(F.side == side) for side in ("left", "right"))
left.outer_join(right, pair, windows=LOCAL_WINDOWS, value=Pair, store="local-outer").to("local-outer")
here = readings.group_by_key()
windows = here.windowed_by(tumbling(SIZE_MS * MS, grace=LOCAL_GRACE_MS * MS), emit="close")
tell(windows.aggregate(list, put_in, value=Json(), store="local-windows"), "local-windows")
local_sessions = here.windowed_by(session(GAP_MS * MS, grace=LOCAL_GRACE_MS * MS))
tell(local_sessions.aggregate(list, put_in, together, value=Json(), store="local-sessions"), "local-sessions")

# tables of one key, and what follows from them in groups
profiles = app.table("profiles", key=str, value=Row, store="profiles")
accounts = app.table("accounts", key=str, value=Row, store="accounts")
profiles.outer_join(accounts, pair, value=Pair, name="tables-outer").to_stream().to("tables-outer")
both = profiles.join(accounts, pair, value=Pair, store="tables-inner")
both.to_stream().to("tables-inner")


def group(key: str, met: Pair) -> tuple[str, Pair]:
    return met.region, met


def one_more(region: str, met: Pair, sums: list[int]) -> list[int]:
    return [sums[0] + 1, sums[1] + (met.left or 0), sums[2] + (met.right or 0)]


def one_less(region: str, met: Pair, sums: list[int]) -> list[int]:
    return [sums[0] - 1, sums[1] - (met.left or 0), sums[2] - (met.right or 0)]


def nothing() -> list[int]:
    return [0, 0, 0]


groups = both.group_by(group, key=str, value=Pair, name="tables-groups")
groups.aggregate(nothing, one_more, one_less, value=Json(), store="tables-groups").to_stream().to("tables-groups")

# a foreign key, and groups behind it
items = app.table("items", key=str, value=Row, store="items")
products = app.table("products", key=str, value=Row, store="products")
items.join(products, with_right_region, foreign_key=F.other, value=Pair, store="fk-inner").to_stream().to("fk-inner")
of_all = items.left_join(products, with_right_region, foreign_key=F.other, value=Pair, store="fk-left")
of_all.to_stream().to("fk-left")
groups = of_all.group_by(group, key=str, value=Pair, name="fk-groups")
groups.aggregate(nothing, one_more, one_less, value=Json(), store="fk-groups").to_stream().to("fk-groups")
