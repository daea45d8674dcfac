"""Which handle leads to which: what has to be called first for a method that stands on another handle.

KStream ── group_by_key() ──▶ GroupedStream ── aggregate(…) ──▶ KTable ── to_stream() ──▶ KStream
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from importlib import import_module

STEPS: dict[str, dict[str, str]] = {
    "App": {"stream(…)": "KStream", "table(…)": "KTable"},
    "KStream": {"group_by_key()": "GroupedStream", "to_table()": "KTable", "split()": "BranchedStream"},
    "BranchedStream": {"default_branch()[…]": "KStream"},
    "GroupedStream": {"aggregate(…)": "KTable", "windowed_by(…)": "WindowedStream", "cogroup(…)": "CogroupedStream"},
    "WindowedStream": {"aggregate(…)": "KTable"},
    "SessionWindowedStream": {"aggregate(…)": "KTable"},
    "CogroupedStream": {"aggregate(…)": "KTable", "windowed_by(…)": "WindowedCogroupedStream"},
    "WindowedCogroupedStream": {"aggregate(…)": "KTable"},
    "SessionWindowedCogroupedStream": {"aggregate(…)": "KTable"},
    "KTable": {"to_stream()": "KStream", "group_by(…)": "GroupedTable"},
    "GroupedTable": {"aggregate(…)": "KTable"},
    "GlobalKTable": {},
}
"""For each handle the call that makes another one of it, the usual one of several."""

HOMES = {
    "App": "streams.app",
    "KStream": "streams.dsl.kstream",
    "BranchedStream": "streams.dsl.branched",
    "GroupedStream": "streams.dsl.grouped",
    "WindowedStream": "streams.dsl.windowed",
    "SessionWindowedStream": "streams.dsl.session_windowed",
    "CogroupedStream": "streams.dsl.cogrouped",
    "WindowedCogroupedStream": "streams.dsl.cogrouped",
    "SessionWindowedCogroupedStream": "streams.dsl.cogrouped",
    "KTable": "streams.dsl.ktable",
    "GroupedTable": "streams.dsl.grouped_table",
    "GlobalKTable": "streams.dsl.global_ktable",
}


def methods(handle: str) -> list[str]:
    """The public methods and properties of the handle of that name."""
    kind = getattr(import_module(HOMES[handle]), handle)
    return [name for name in dir(kind) if not name.startswith("_")]


def step(handle: str, method: str) -> str | None:
    """The handle that this method of another one makes, if it is one of the steps."""
    return next((made for call, made in STEPS[handle].items() if call.partition("(")[0] == method), None)


def way(start: str, arrived: Callable[[str], bool]) -> list[tuple[str, str]] | None:
    """The fewest calls that lead from the handle `start` to one that `arrived` holds for, each with the handle it
    makes; empty if it holds for `start`, None if there is no way."""
    ways: deque[tuple[str, list[tuple[str, str]]]] = deque([(start, [])])
    seen = {start}
    while ways:
        handle, calls = ways.popleft()
        if arrived(handle):
            return calls
        for call, made in STEPS.get(handle, {}).items():
            if made not in seen:
                seen.add(made)
                ways.append((made, [*calls, (call, made)]))
    return None


def written(calls: list[tuple[str, str]]) -> str:
    """The calls as they are written one behind the other: `.group_by_key().aggregate(…)`."""
    return "".join(f".{call}" for call, _ in calls)
