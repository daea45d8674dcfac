"""Where records enter: the topics a sub-topology reads.

Its code is the run function of each topic (`streams.compile.source_function`): it decodes, takes the record's time,
and hands on.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from streams.graph.function import UserFunction
from streams.graph.node import Node

SourceRole = Literal["stream", "table", "repartition"]

InvalidTimestamp = Literal["fail", "skip", "partition_time"]
"""What happens to a record whose timestamp is negative. Source: `FailOnInvalidTimestamp`,
`LogAndSkipOnInvalidTimestamp`, `UsePartitionTimeOnInvalidTimestamp`."""


class Source(Node, frozen=True, kw_only=True, eq=False):
    """Reads `topics`. `timestamp` finds event time (int, ms) in the value; None takes the record's own.

    A record with a null value has no value to take a time from and keeps the record's own. `invalid_timestamp` says
    what becomes of one with a negative time: the worker fails; it is dropped, counted, and the first is logged; or it
    gets the largest timestamp of its partition so far (and fails where there is none yet).
    """

    kind: ClassVar[str] = "source"
    result_rule: ClassVar[str | None] = "timestamp= has to give an int, in ms since the epoch"

    topics: tuple[str, ...]
    role: SourceRole = "stream"
    timestamp: UserFunction | None = None
    invalid_timestamp: InvalidTimestamp = "fail"
