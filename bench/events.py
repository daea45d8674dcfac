"""The events of users: `{"user", "amount", "ts"}` keyed by user, and what the workloads must make of them."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from bench.topics import PARTITIONS, Row
from bench.truth import Truth
from streams.partitioner import partition_for_key

FIRST_TIMESTAMP = 1_700_000_000_000
SIZE_MS, GRACE_MS, GAP_MS, REACH_MS = 10_000, 1_000, 2_000, 5_000
"""Windows, their grace, the gap of sessions, and how far apart events may be that meet."""


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int

    @property
    def cents(self) -> int:
        return int(self.amount * 100)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Events of users drawn at random, `step` ms apart; the same ones each time. Millions of them, so none is kept."""

    number: int
    users: int
    seed: int
    first: int
    step: int

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Event]:
        draw = random.Random(self.seed).random
        users, ts, step = self.users, self.first, self.step
        for _ in range(self.number):
            yield Event(f"u{int(draw() * users)}", round(draw() * 100, 2), ts)
            ts += step


def rows(events: Iterable[Event]) -> Iterator[Row]:
    encode = msgspec.json.Encoder().encode
    return ((event.user, encode(event), event.ts) for event in events)


class Events:
    """One topic, an event each millisecond."""

    def __init__(self, number: int, users: int) -> None:
        self.events = Drawn(number, users, 7, FIRST_TIMESTAMP, 1)
        self.records = number
        self.partitions = PARTITIONS

    def topics(self) -> dict[str, Iterable[Row]]:
        return {"events": rows(self.events)}

    def large(self) -> Truth:
        """Those of 50 and more, in cents."""
        records = total = 0
        for event in self.events:
            if event.amount >= 50:
                records += 1
                total += event.cents
        return Truth(records, total)

    def counted(self, windows: int = 1) -> Truth:
        """Each event counted in so many windows, with every update."""
        return Truth(windows * self.records, windows * self.records)

    def counted_at_last(self) -> Truth:
        """Each event counted once in the newest counts, whatever came out before those."""
        return Truth(None, self.records)

    def sessions(self) -> Truth:
        """Counts of sessions. An event that prolongs one deletes it, and makes one with other bounds."""
        last: dict[str, int] = {}
        outputs = 0
        for event in self.events:
            before = last.get(event.user)
            outputs += 2 if before is not None and 0 < event.ts - before <= GAP_MS else 1
            last[event.user] = event.ts
        return Truth(outputs, self.records)

    def closed(self) -> Truth:
        """Counts of windows that are over, by the time of their partition, with grace."""
        times: dict[int, int] = {}
        counts: dict[tuple[str, int], int] = defaultdict(int)
        users = {event.user for event in self.events}
        partitions = {user: partition_for_key(user.encode(), self.partitions) for user in users}
        for event in self.events:
            times[partitions[event.user]] = event.ts
            counts[event.user, event.ts - event.ts % SIZE_MS] += 1
        over = [n for (user, start), n in counts.items() if start + SIZE_MS + GRACE_MS <= times[partitions[user]]]
        return Truth(len(over), sum(over))


class EventPairs:
    """Two topics with half of the events each, in turn a millisecond apart, so that no two have the same time."""

    def __init__(self, number: int, users: int) -> None:
        self.left = Drawn(number // 2, users, 7, FIRST_TIMESTAMP, 2)
        self.right = Drawn(number // 2, users, 8, FIRST_TIMESTAMP + 1, 2)
        self.records = 2 * (number // 2)

    def topics(self) -> dict[str, Iterable[Row]]:
        return {"left": rows(self.left), "right": rows(self.right)}

    def met(self) -> Truth:
        """Left and right ones of a user that are close enough."""
        by_user: dict[str, list[Event]] = defaultdict(list)
        for event in self.right:
            by_user[event.user].append(event)
        times = {user: [event.ts for event in events] for user, events in by_user.items()}
        sums = {user: [0, *accumulate(event.cents for event in events)] for user, events in by_user.items()}
        records = total = 0
        for event in self.left:
            first = bisect_left(times[event.user], event.ts - REACH_MS)
            last = bisect_right(times[event.user], event.ts + REACH_MS)
            records += last - first
            total += (last - first) * event.cents + sums[event.user][last] - sums[event.user][first]
        return Truth(records, total)

    def updates(self) -> Truth:
        """The newest events of a user, each time one of both changed."""
        newest: tuple[dict[str, int], dict[str, int]] = ({}, {})
        records = total = 0
        for pair in zip(self.left, self.right, strict=True):
            for mine, theirs, event in zip(newest, reversed(newest), pair, strict=True):
                mine[event.user] = event.cents
                if event.user in theirs:
                    records += 1
                    total += event.cents + theirs[event.user]
        return Truth(records, total)
