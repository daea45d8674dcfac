"""An application whose functions take their time, as a worker process loads it.

Requests go straight to calls and batches: a commit leaves what is in flight for the next one, as far as orders, which
are counted before, do not make it wait.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from streams import App, Json

REQUESTS, ANSWERS, TOTALS = "requests", "answers", "totals"
ORDERS, RANKED = "orders", "ranked"


async def answer(value: int) -> int:
    await asyncio.sleep(value % 7 * 0.004)
    return value * 10


async def ranked(rank: int) -> int:
    await asyncio.sleep(rank % 5 * 0.003)
    return rank


app = App("calls", commit_interval=timedelta(milliseconds=50))
answers = (
    app.stream(REQUESTS, key=str, value=int)
    .filter(lambda key, value: value >= 0)
    .map_async(answer, concurrency=8, value=int)
    .map_batch(lambda values: [value + 1 for value in values], max_size=5, value=int)
)
answers.to(ANSWERS)
answers.group_by_key().reduce(lambda one, other: one + other, store="totals").to_stream().to(TOTALS)
counts = app.stream(ORDERS, key=str, value=int).group_by_key().count(store="counts")
counts.to_stream().map_async(ranked, concurrency=8, value=Json()).to(RANKED)
