"""Waits until a store is as far as a question wants it to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from streams.query.catalog import Entry
from streams.query.position import Place, position_text
from streams.query.problem import Behind
from streams.query.subject import Subject

LOOK_AGAIN_S = 0.005

Bound = Mapping[Place, int]


def read_to(subject: Subject, entry: Entry, partition: int) -> dict[Place, int]:
    """The position of a partition that is in this worker; of a global store that of its copy. Ask before reading: rows
    are never older than a position that was told before."""
    plan = subject.partitions
    assert plan is not None
    if entry.subtopology is None:
        places = [(topic, number) for topic in entry.topics for number in range(plan.counts[topic])]
        offsets = {place: subject.global_position(place) for place in places}
    else:
        task = entry.task(partition)
        offsets = {place: subject.position(task, place) for place in plan.inputs(task)}
    return {place: offset - 1 for place, offset in offsets.items() if offset}


def missing(position: Bound, bound: Bound, entry: Entry, partition: int) -> dict[Place, int]:
    """The part of the bound that concerns the partition and is not reached."""
    return {
        place: offset
        for place, offset in bound.items()
        if place[0] in entry.topics
        and (entry.subtopology is None or place[1] == partition)
        and position.get(place, -1) < offset
    }


async def reach(
    subject: Subject, entry: Entry, partition: int, bound: Bound, deadline: float, is_here: Callable[[], object]
) -> None:
    """Returns when the partition, which is in this worker, contains all of the bound that concerns it.

    Raises Behind at the deadline (of the loop's clock), and what `is_here` raises once the partition is gone.
    """
    loop = asyncio.get_running_loop()
    while True:
        is_here()
        position = read_to(subject, entry, partition)
        left = missing(position, bound, entry, partition)
        if not left:
            return
        if loop.time() >= deadline:
            details: dict[str, Any] = {"position": position_text(position), "wanted": position_text(left)}
            raise Behind(
                f"store {entry.name!r} is at {details['position'] or 'the beginning'}, and not yet at "
                f"{details['wanted']}: ask again, or let it wait longer (wait_ms)",
                store=entry.name,
                details=details,
            )
        await asyncio.sleep(LOOK_AGAIN_S)
