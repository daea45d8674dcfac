"""What is known of the tasks of one sub-topology that write a repartition topic."""

from __future__ import annotations

from streams.runtime.task_marks import UNKNOWN

Told = tuple[int, bool]
"""The watermark of some tasks in ms, and whether they are idle."""


class Upstream:
    """Tasks are bits. `told`: disjoint sets of tasks, all tasks together → what is known of each of the set.

    Tasks of one process are spoken of together, again and again, and are one set as long as the same is known of all
    of them: that is one look-up, however many they are. When tasks move, sets are cut, and grow together again with
    the next watermark that passes what is known of both parts.
    """

    __slots__ = ("tasks", "told")

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks
        self.told: dict[int, Told] = {tasks: (UNKNOWN, False)}

    def tell(self, tasks: int, watermark: int, *, idle: bool) -> None:
        """These tasks say that. Those that do not exist are passed over."""
        told = self.told
        known = told.get(tasks)
        if known is not None:
            told[tasks] = later(known, watermark, idle=idle)
            return
        tasks &= self.tasks
        changed: dict[Told, int] = {}
        for part, known in list(told.items()):
            common = part & tasks
            if common:
                del told[part]
                if common != part:
                    told[part ^ common] = known
                now = later(known, watermark, idle=idle)
                changed[now] = changed.get(now, 0) | common
        told.update((part, now) for now, part in changed.items())


def later(known: Told, watermark: int, *, idle: bool) -> Told:
    """A watermark never goes back, except that of a task that returns from idleness."""
    before, was_idle = known
    if was_idle and not idle:
        return watermark, False
    return (before if before > watermark else watermark), idle
