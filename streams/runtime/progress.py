"""How far a task's own time is, as those behind its repartition sinks may take it.

For a sink, a task's progress is the least, over the inputs whose records can reach the sink, of the largest timestamp
read there, less what operators on the way may hold back. Three cases differ:

- An input that is read to its end and has been quiet for a while holds nothing back; if all are, the task is idle.
- Behind a repartition topic with several upstream tasks, time is what the topic's own watermark says: a partition
  that gets few of the keys does not stop time for all. Only where operators hold records back by their own clock,
  which never passes the largest timestamp they saw, does that timestamp count there too.
- While an input that is not quiet has brought nothing yet, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.runtime.task_marks import UNKNOWN
from streams.runtime.watermark import UNBOUNDED


class InputProgress(NamedTuple):
    """One source partition. `max_timestamp` is -1 before the first record; `watermark` is `UNBOUNDED` on topics that
    carry none; `quiet`: read to its end, and nothing came for the idle timeout."""

    max_timestamp: int
    watermark: int
    quiet: bool


class Progress(NamedTuple):
    """`watermark` in ms; -1: unknown. An idle task's watermark is the last it had."""

    watermark: int
    idle: bool


def progress(
    inputs: Iterable[InputProgress], hold_back_ms: int, previous: int = UNKNOWN, holding: Iterable[int] = ()
) -> Progress:
    """The progress of a task towards one sink; never below `previous`.

    `holding`: the clocks of operators on the way that hold records back just now. They can be behind the inputs, where
    a filter keeps records from them, and what they hold is released by their own clocks.
    """
    least, idle = UNBOUNDED, True
    for max_timestamp, watermark, quiet in inputs:
        if watermark != UNBOUNDED and (hold_back_ms == 0 or not quiet):
            idle = False
            time = watermark if hold_back_ms == 0 else min(max_timestamp, watermark)
        elif not quiet:
            idle = False
            time = max_timestamp
        else:
            continue
        if time < least:
            least = time
    if idle or least < 0:
        return Progress(previous, idle)
    least = min(least, *holding, UNBOUNDED)
    return Progress(max(least - hold_back_ms, previous), False)
