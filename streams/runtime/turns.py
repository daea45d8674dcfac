"""How long threads of a worker wait for each other."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

TURN_S = 0.0005
"""Python's default is 5 ms."""


@contextmanager
def short_turns() -> Generator[None]:
    """Has a busy thread give the interpreter lock to another that wants it after half a millisecond.

    The stream thread computes for long stretches, and the query server's thread, which needs a little time often, would
    wait for 5 ms at each of a query's steps. It costs the stream thread nothing while nobody asks.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, TURN_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
