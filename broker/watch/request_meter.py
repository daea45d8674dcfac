"""Counts of requests, read when somebody asks for the metrics. Plain numbers: counting must cost next to nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from broker.handlers.table import Operation

BOUNDS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the buckets of times, in seconds."""


class ApiMeter:
    """Of one API."""

    __slots__ = ("buckets", "bytes_in", "bytes_out", "requests", "seconds")

    def __init__(self) -> None:
        self.requests: defaultdict[int, int] = defaultdict(int)
        """By version."""
        self.seconds = 0.0
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        """How many took up to each bound; the last one: longer."""
        self.bytes_in = 0
        self.bytes_out = 0


class RequestMeter:
    """Since the broker's start, by API key."""

    def __init__(self) -> None:
        self.apis: defaultdict[int, ApiMeter] = defaultdict(ApiMeter)
        self.errors: defaultdict[tuple[int, int], int] = defaultdict(int)
        """By API key and error code; each code counts once for each place of the answer it stands in."""

    def count(self, operation: Operation, seconds: float, bytes_in: int, bytes_out: int, errors: Sequence[int]) -> None:
        """`bytes_out`: of the answer, where they are known before it is encoded (Produce, Fetch)."""
        key = operation.api.key
        meter = self.apis[key]
        meter.requests[operation.version] += 1
        meter.seconds += seconds
        meter.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        meter.bytes_in += bytes_in
        meter.bytes_out += bytes_out
        if errors:
            for code in errors:
                self.errors[key, code] += 1
