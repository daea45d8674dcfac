"""Where records enter: the topics a sub-topology reads.

Its code is the run function of each topic (`streams.compile.source_function`): it decodes, takes the record's time,
and hands on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

from streams.graph.function import UserFunction
from streams.graph.node import Node

SourceRole = Literal["stream", "table", "repartition"]

InvalidTimestamp = Literal["fail", "skip", "partition_time"]
"""What happens to a record whose timestamp is negative. Source: `FailOnInvalidTimestamp`,
`LogAndSkipOnInvalidTimestamp`, `UsePartitionTimeOnInvalidTimestamp`."""

OffsetReset = Literal["earliest", "latest", "none"] | timedelta
"""Where to begin in a partition without a committed offset, or whose committed offset is no longer kept: at its
beginning, at its end, nowhere (the worker fails), or with the first record no older than so much before now.
Source: `AutoOffsetReset` (KIP-1106)."""


class Source(Node, frozen=True, kw_only=True, eq=False):
    """Reads `topics`. `timestamp` finds event time (int, ms) in the value; None takes the record's own.

    A record with a null value has no value to take a time from and keeps the record's own. `invalid_timestamp` says
    what becomes of one with a negative time: the worker fails; it is dropped, counted, and the first is logged; or it
    gets the largest timestamp of its partition so far (and fails where there is none yet). `reset`: where a partition
    without a committed offset begins; None: where the worker says.
    """

    kind: ClassVar[str] = "source"
    result_rule: ClassVar[str | None] = "timestamp= has to give an int, in ms since the epoch"

    topics: tuple[str, ...]
    role: SourceRole = "stream"
    timestamp: UserFunction | None = None
    invalid_timestamp: InvalidTimestamp = "fail"
    reset: OffsetReset | None = None
