"""What must come of the input, by the rules of each operator and over all of it at once.

It shares nothing with the engine: no store, no clock but the largest time so far, no watermark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from tests.soak.joins.events import END, Input
from tests.soak.joins.topology import (
    AFTER_MS,
    BEFORE_MS,
    GAP_MS,
    LOCAL_GRACE_MS,
    LOCAL_WINDOWS,
    SIZE_MS,
)
from tests.streams.joins.two_streams import Sent, oracle
from tests.streams.windows.oracles import Record, merged

Meeting = tuple[str, int | None, int | None, str, int]
"""User, left number, right number, region, time."""


def of(records: Iterable[Input], topic: str) -> list[Input]:
    """A topic's records without those that only close windows."""
    return [record for record in records if record.topic == topic and not record.key.startswith(END)]


# -- behind repartition topics -----------------------------------------------------------------------------------------
def meetings(records: Sequence[Input], kind: Literal["inner", "left", "outer"]) -> Counter[Meeting]:
    """Every pair whose times fit, and every record that met none where such come out; each once."""
    payments = defaultdict[str, list[Input]](list)
    for payment in of(records, "payments"):
        payments[payment.value.user].append(payment)
    found, met = list[Meeting](), set[int]()
    for order in of(records, "orders"):
        user, number, region = order.value.user, order.value.n, order.value.region
        matches = [p for p in payments[user] if order.ts - BEFORE_MS <= p.ts <= order.ts + AFTER_MS]
        found += [(user, number, p.value.n, region, max(order.ts, p.ts)) for p in matches]
        met |= {p.value.n for p in matches}
        if not matches and kind != "inner":
            found.append((user, number, None, region, order.ts))
    if kind == "outer":
        alone = [p for each in payments.values() for p in each if p.value.n not in met]
        found += [(p.value.user, None, p.value.n, p.value.region, p.ts) for p in alone]
    return Counter(found)


def windows(placed: Iterable[tuple[str, int, Any]], advance_ms: int) -> dict[tuple[str, int, int], list[Any]]:
    """Members by key and window, of (key, time, member)."""
    found = defaultdict[tuple[str, int, int], list[Any]](list)
    for key, ts, member in placed:
        for start in range(ts // advance_ms * advance_ms, ts - SIZE_MS, -advance_ms):
            found[key, start, start + SIZE_MS].append(member)
    return {window: sorted(members, key=str) for window, members in found.items()}


def click_windows(records: Sequence[Input], advance_ms: int) -> dict[tuple[str, int, int], list[Any]]:
    return windows(((c.value.user, c.ts, c.value.n) for c in of(records, "clicks")), advance_ms)


def region_windows(records: Sequence[Input]) -> dict[tuple[str, int, int], list[Any]]:
    """Of the outer join's results, by region."""
    met = meetings(records, "outer").elements()
    return windows(((region, ts, [left, right]) for _, left, right, region, ts in met), SIZE_MS)


def click_sessions(records: Sequence[Input]) -> dict[tuple[str, int, int], list[Any]]:
    clicks = of(records, "clicks")
    found = merged(GAP_MS, [Record(click.value.user, click.ts) for click in clicks])
    return {at: sorted((clicks[place].value.n for place in places), key=str) for at, places in found.items()}


# -- one partition: every record in order, late ones too ---------------------------------------------------------------
def local_outer(readings: Sequence[Input]) -> list[Any]:
    sent = [Sent(reading.value.side, reading.key, reading.ts) for reading in readings]
    results = list[Any]()
    for key, (left, right), ts in oracle("outer", LOCAL_WINDOWS, sent):
        numbers = [None if place is None else readings[place].value.n for place in (left, right)]
        region = readings[right if left is None else left].value.region
        results.append((key, [*numbers, region], ts))
    return results


def local_windows(readings: Sequence[Input], late: Callable[[], None] = lambda: None) -> list[Any]:
    """Tumbling windows as they close: by start, then key."""
    now, open_windows, results = -1, dict[tuple[int, str], tuple[list[int], int]](), list[Any]()
    for reading in readings:
        now = max(now, reading.ts)
        start = reading.ts // SIZE_MS * SIZE_MS
        if start + SIZE_MS > now - LOCAL_GRACE_MS:
            numbers, newest = open_windows.get((start, reading.key), ([], -1))
            open_windows[start, reading.key] = [*numbers, reading.value.n], max(newest, reading.ts)
        else:
            late()
        for start, key in sorted(each for each in open_windows if each[0] + SIZE_MS <= now - LOCAL_GRACE_MS):
            numbers, newest = open_windows.pop((start, key))
            results.append((key, [start, start + SIZE_MS, numbers], newest))
    return results


def local_sessions(readings: Sequence[Input], late: Callable[[], None] = lambda: None) -> list[Any]:
    """Every update: a null for each session that is taken into another, then that one."""
    now, newest_end, results = -1, -1, list[Any]()
    sessions = defaultdict[str, list[tuple[int, int, list[int]]]](list)
    for reading in readings:
        key, ts = reading.key, reading.ts
        now = max(now, ts)
        kept = [row for row in sessions[key] if row[1] > newest_end - GAP_MS - LOCAL_GRACE_MS]
        taken = sorted(row for row in kept if row[0] <= ts + GAP_MS and row[1] >= ts - GAP_MS)
        start, end = min([ts, *(row[0] for row in taken)]), max([ts, *(row[1] for row in taken)])
        if end < now - LOCAL_GRACE_MS - GAP_MS:
            late()
            continue
        numbers = [number for row in taken for number in row[2]] + [reading.value.n]
        sessions[key] = [*(row for row in kept if row not in taken), (start, end, numbers)]
        newest_end = max(newest_end, end)
        if [row[:2] for row in taken] != [(ts, ts)]:
            results += [(key, [row[0], row[1], None], row[1]) for row in taken]
        results.append((key, [start, end, numbers], end))
    return results


# -- tables ------------------------------------------------------------------------------------------------------------
def history(records: Sequence[Input], topic: str) -> dict[str, list[Any]]:
    """A table's rows by key, in order; the first of each is None, before there was one."""
    found = defaultdict[str, list[Any]](lambda: [None])
    for record in of(records, topic):
        found[record.key].append(record.value)
    return found


def table(records: Sequence[Input], topic: str) -> dict[str, Any]:
    return {key: rows[-1] for key, rows in history(records, topic).items() if rows[-1] is not None}


def tables_joined(records: Sequence[Input], kind: Literal["inner", "outer"]) -> dict[str, Any]:
    profiles, accounts = table(records, "profiles"), table(records, "accounts")
    users = profiles.keys() & accounts.keys() if kind == "inner" else profiles.keys() | accounts.keys()
    return {user: told(profiles.get(user), accounts.get(user)) for user in users}


def told(left: Any, right: Any) -> list[Any] | None:
    """What the joiner makes of two rows of one key."""
    return None if left is None and right is None else [left and left.n, right and right.n, (left or right).region]


def foreign_key_joined(records: Sequence[Input], kind: Literal["inner", "left"]) -> dict[str, Any]:
    products, found = table(records, "products"), dict[str, Any]()
    for key, item in table(records, "items").items():
        product = products.get(item.other)
        if product is not None or kind == "left":
            found[key] = [item.n, product and product.n, product.region if product else "none"]
    return found


def groups(joined: dict[str, Any]) -> dict[str, Any]:
    """How many rows each region has, and the sums of their numbers."""
    found = defaultdict[str, list[int]](lambda: [0, 0, 0])
    for left, right, region in joined.values():
        for place, number in enumerate((1, left or 0, right or 0)):
            found[region][place] += number
    return dict(found)


def is_a_way(shown: Sequence[Any], left: Sequence[Any], right: Sequence[Any], kind: Literal["inner", "outer"]) -> bool:
    """Whether a join of two tables can have told this of a key: each row of both taken up once and in order, the two
    sides in any way between each other."""
    ways = {(0, 0)}
    for each in [*shown, ...]:
        reached, going = set[tuple[int, int]](), list(ways)
        seen = set(ways)
        while going:
            at = going.pop()
            if each is ... and at == (len(left) - 1, len(right) - 1):
                return True
            for result, then in _steps(at, left, right, kind):
                if result is ...:
                    if then not in seen:
                        seen.add(then)
                        going.append(then)
                elif each is not ... and result == each:
                    reached.add(then)
        ways = reached
    return False


def _steps(at: tuple[int, int], left: Sequence[Any], right: Sequence[Any], kind: str) -> Iterable[tuple[Any, Any]]:
    """What the next row of either side tells, `...` where that is nothing, and where one is then."""
    i, j = at
    moves = [((i + 1, j), left[i + 1], left[i], right[j])] if i + 1 < len(left) else []
    moves += [((i, j + 1), right[j + 1], right[j], left[i])] if j + 1 < len(right) else []
    for then, new, old, other in moves:
        mine = (new, other) if then[0] > i else (other, new)
        if other is None and (kind == "inner" or (new is None and old is None)):
            yield ..., then
        elif kind == "inner" and new is None:
            yield None, then
        else:
            yield told(*mine), then
