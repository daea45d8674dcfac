"""The input of the joins flow, drawn from a seed: records in the order in which they are written.

No record of a stream is older than the newest one before it by more than `GRACE_MS`, but for a share of `readings`,
which are told apart only by what one partition has seen before them. Tables are read in the order of their partitions,
whatever their times.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import msgspec

from streams.partitioner import partition_for_key
from tests.soak.joins.topology import GRACE_MS, LOCAL_GRACE_MS, Event, Row

PARTITIONS = 4
START_MS = 1_700_000_000_000
END_MS = 600_000
"""How much later than all others the last records come, which close all windows."""
STREAMS = ("orders", "payments", "clicks", "readings")
TABLES = ("profiles", "accounts", "items", "products")
WEIGHTS = (22, 22, 18, 18, 5, 5, 6, 4)
USERS, LOCAL_USERS, ROWS, ITEMS, PRODUCTS, REGIONS = 40, 24, 40, 60, 20, 7
END = "end"
"""What users and regions of the last records begin with. There are enough of them to reach every partition."""
END_USERS = 24


class Input(NamedTuple):
    topic: str
    partition: int
    key: str
    value: Event | Row | None
    ts: int

    @property
    def encoded(self) -> bytes | None:
        return None if self.value is None else msgspec.json.encode(self.value)


def make_input(seed: int, count: int) -> list[Input]:
    """`count` records, and then those that close everything."""
    draw = random.Random(seed)
    now, made = START_MS, list[Input]()
    for number in range(count):
        now += draw.randint(0, 40) if draw.random() < 0.999 else 30_000  # now and then everything stops for a while
        topic = draw.choices((*STREAMS, *TABLES), WEIGHTS)[0]
        if topic in STREAMS:
            made.append(_event(draw, topic, number, now))
        else:
            made.append(_row(draw, topic, number, now))
    return [*made, *_last(now + END_MS, count)]


def _event(draw: random.Random, topic: str, number: int, now: int) -> Input:
    region = f"r{draw.randrange(REGIONS)}"
    if topic != "readings":
        event = Event(number, f"u{draw.randrange(USERS)}", region)
        return Input(topic, draw.randrange(PARTITIONS), str(number), event, now - draw.randint(0, GRACE_MS))
    user, side = f"u{draw.randrange(LOCAL_USERS)}", draw.choice(("left", "right"))
    late = draw.randint(1, 20_000) if draw.random() < 0.05 else 0
    ts = now - late - draw.randint(0, LOCAL_GRACE_MS)
    return Input(topic, partition_for_key(user.encode(), PARTITIONS), user, Event(number, user, region, side), ts)


def _row(draw: random.Random, topic: str, number: int, now: int) -> Input:
    count, chance_of_none = {
        "profiles": (ROWS, 0.15), "accounts": (ROWS, 0.15), "items": (ITEMS, 0.1), "products": (PRODUCTS, 0.2),
    }[topic]  # fmt: skip
    key = f"{topic[0]}{draw.randrange(count)}" if topic in ("items", "products") else f"u{draw.randrange(count)}"
    other = f"p{draw.randrange(PRODUCTS + 2)}" if topic == "items" and draw.random() < 0.95 else None
    region = f"r{draw.randrange(REGIONS)}"
    value = None if draw.random() < chance_of_none else Row(number, region, other)
    ts = now - draw.randint(0, GRACE_MS)
    return Input(topic, partition_for_key(key.encode(), PARTITIONS), key, value, ts)


def _last(ts: int, number: int) -> list[Input]:
    """In every partition of every stream, before and behind repartition topics; orders meet their payments, so that
    results of this time come to what follows the joins."""
    made = list[Input]()
    for place in range(END_USERS):
        user = f"{END}{place}"
        for topic in ("orders", "payments", "clicks"):
            for partition in range(PARTITIONS):
                made.append(Input(topic, partition, user, Event(number, user, user), ts))
        partition = partition_for_key(user.encode(), PARTITIONS)
        for side in ("left", "right"):
            made.append(Input("readings", partition, user, Event(number, user, user, side), ts))
    return made
