"""Two small jobs over generated payments, to see what a machine can do: `headrace bench`.

`filter` keeps half of the payments and rewrites them; `windows` counts them by user in windows of ten seconds, every
update written out, state on disk and on a changelog. Both run exactly once, as applications do unless told otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from streams import App, F, count, sum_, tumbling

TOPIC = "payments"
FIRST_TIMESTAMP = 1_700_000_000_000
USERS = 1_000
JOBS = ("filter", "windows")


class Payment(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Large(msgspec.Struct):
    user: str
    cents: int


def payments(number: int, seed: int = 7) -> Iterator[Payment]:
    """One each millisecond, amounts from 0 to 100, the same ones for a seed."""
    draw = random.Random(seed)
    for i in range(number):
        user, amount = f"u{draw.randrange(USERS)}", round(draw.random() * 100, 2)
        yield Payment(user, amount, FIRST_TIMESTAMP + i)


def application(job: str, state_dir: Path) -> App:
    """The application of a job; it writes to the topic of the job's name."""
    app = App(f"bench-{job}", state_dir=state_dir)
    stream = app.stream(TOPIC, key=str, value=Payment, timestamp=F.ts)
    if job == "filter":
        stream.filter(F.amount >= 50).map_values(lambda p: Large(p.user, int(p.amount * 100))).to(job)
    else:
        windows = stream.group_by_key().windowed_by(tumbling(timedelta(seconds=10), grace=timedelta(seconds=1)))
        windows.aggregate(payments=count(), total=sum_(F.amount), store="totals").to_stream().to(job)
    return app
