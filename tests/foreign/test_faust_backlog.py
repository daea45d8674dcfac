"""A Faust worker and records that wait for it: Faust's own code over a log in memory, without any broker.

If the first two tests fail, Faust has mended it, and README.md and docs/coming-from-faust.md are out of date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from tests.docs.markdown import DOCS, blocks

SOURCE, CHANGELOG = TP("orders", 0), TP("shop-count-changelog", 0)
END = 50
ROUND_TRIP = 2_000
"""How often the event loop goes round before committed offsets are there: enough to hand out all records."""


class Log:
    """What stands for aiokafka's consumer in its thread: a position, records from there on, a committed offset."""

    def __init__(self, committed: int | None) -> None:
        self.committed = committed
        self.position = committed or 0
        self.fetched = asyncio.Event()
        """Whether an answer to a fetch has come: with records of the source, if any are left."""

    async def getmany(self, active_partitions: set[TP], timeout: float) -> Mapping[TP, list[Any]]:
        """As aiokafka's `fetched_records`: what has been fetched of these partitions, or of all if there are none."""
        await self.fetched.wait()
        if (active_partitions and SOURCE not in active_partitions) or self.position == END:
            self.fetched.clear()
            return {}
        first, self.position = self.position, END
        return {SOURCE: [record(offset) for offset in range(first, END)]}

    async def seek_to_committed(self) -> Mapping[TP, int | None]:
        """As aiokafka's, with an answer to a fetch that overtakes those with the offsets."""
        self.fetched.set()
        await turns(ROUND_TRIP)
        if self.committed is not None:
            self.position = self.committed
            self.fetched.set()
        return {SOURCE: self.committed}

    def assignment(self) -> set[TP]:
        return {SOURCE, CHANGELOG}

    def highwater(self, tp: TP) -> int:
        return END


def record(offset: int) -> Any:
    parts = {"timestamp": 0, "timestamp_type": 0, "headers": (), "key": None, "value": b"", "checksum": None}
    sizes = {"serialized_key_size": 0, "serialized_value_size": 0}
    return SimpleNamespace(topic=SOURCE.topic, partition=SOURCE.partition, offset=offset, **parts, **sizes)


async def counted(directory: Path, committed: int | None, *, busy: bool, cured: bool = False) -> list[int]:
    """The offsets that an agent sees after a worker's recovery. `busy`: it looks once the worker is ready."""
    app = faust.App("shop", broker="kafka://nowhere", store="memory://", datadir=directory)
    app.Table("count", default=int)
    queue = app.FlowControlQueue(maxsize=2 * END, clear_on_resume=True)
    if cured:
        (block,) = (block for block in blocks(DOCS / "coming-from-faust.md", "python") if "class OffsetsFirst" in block)
        exec(block, {"old": app})
    consumer: Any = app.transport.create_consumer(queue.put, on_partitions_revoked=None, on_partitions_assigned=None)
    log = Log(committed)
    consumer._thread.thread_loop.close()  # of a thread that does not run
    consumer._thread, app._fetcher = log, Service()
    app.consumer = consumer
    seen: list[int] = []

    async def agent() -> None:
        while True:
            seen.append((await queue.get()).offset)

    # The changelog is being read.
    consumer.pause_partitions([SOURCE])
    consumer.resume_partitions([CHANGELOG])
    app.flow_control.resume()
    consumer.resume_flow()
    running = [asyncio.ensure_future(consumer._drain_messages(Service()))]
    await turns(ROUND_TRIP)
    # It has been read.
    if not busy:
        running.append(asyncio.ensure_future(agent()))
    consumer.pause_partitions([CHANGELOG])
    await Recovery(app, app.tables).on_recovery_completed()
    running.append(asyncio.ensure_future(agent()))
    log.fetched.set()
    while log.position < END or not queue.empty():  # the drain loop rests for a second without partitions
        await asyncio.sleep(0.01)
        assert not running[0].done()
    await turns(ROUND_TRIP)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return seen


async def turns(count: int) -> None:
    """Of the event loop: time does not count here."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_faust_hands_out_a_backlog_before_it_seeks_and_again_after_it(tmp_path: Path) -> None:
    seen = asyncio.run(counted(tmp_path, 20, busy=False))
    assert seen[:30] == list(range(20, END))
    assert seen[-25:] == list(range(25, END))


def test_faust_loses_a_backlog_that_its_agents_have_not_looked_at(tmp_path: Path) -> None:
    assert asyncio.run(counted(tmp_path, None, busy=True)) == []


@pytest.mark.parametrize(("committed", "busy"), [(20, False), (None, True)])
def test_consumer_of_the_docs_counts_a_backlog_once(tmp_path: Path, committed: int | None, busy: bool) -> None:
    assert asyncio.run(counted(tmp_path, committed, busy=busy, cured=True)) == list(range(committed or 0, END))
