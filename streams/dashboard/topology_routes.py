"""The topology as the page draws it, with the lines of the user's program that declared it."""

from __future__ import annotations

import asyncio
import linecache
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter

from streams.errors import SourceLine
from streams.plan.plan import PartitionPlan
from streams.query.placement import Placement
from streams.render.document import description
from streams.render.sketch import steps

BEFORE, BEHIND = 2, 3
"""So many lines around a declaration."""


def topology_routes(placement: Placement) -> APIRouter:
    """`/topology`: `render.document.description`, partition counts and excerpts of the program.

    partitions        topic -> partitions, of the topics that are read
    global_tables[]   topic, store
    excerpts          "file:line" -> {first: number of the first line, lines[]}, of files that this worker can read
    """
    router = APIRouter()

    @router.get("/topology")
    async def topology() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        plan = placement.catalog().plan
        return {
            **description(plan.plan),
            "partitions": dict(plan.counts),
            "global_tables": [{"topic": each.topic, "store": each.store.name} for each in plan.plan.global_tables],
            "excerpts": await asyncio.to_thread(excerpts, plan),
        }

    return router


def excerpts(plan: PartitionPlan) -> dict[str, Any]:
    """Around every line that declared something."""
    found: dict[str, Any] = {}
    for origin in origins(plan):
        lines = linecache.getlines(origin.file)
        if lines:
            first = max(1, origin.line - BEFORE)
            shown = [line.rstrip() for line in lines[first - 1 : origin.line + BEHIND]]
            found[str(origin)] = {"first": first, "lines": shown}
    return found


def origins(plan: PartitionPlan) -> Iterator[SourceLine]:
    for subtopology in plan.plan.subtopologies:
        for step in steps(subtopology):
            if step.origin is not None:
                yield step.origin
