"""Waiting for a condition, with a deadline: the tests' only way to let time pass."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = 20) -> None:
    """Calls `condition` (which may do the polling) until it is true; fails, naming `what`, at the deadline."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
