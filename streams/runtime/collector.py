"""Keeps Python's cycle collector from walking over the records that are being worked on.

A batch is thousands of message objects that live for a moment, so at the interpreter's default of 700 new objects the
collector runs several times in each batch, finds nothing, and costs a third of a simple topology's throughput.
Reference counts free records all the same; only cycles wait longer.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

FEW: Final = 10_000
"""Thresholds up to this were not chosen for a program of this kind (Python's own are 700 or 2,000)."""
SELDOM: Final = (100_000, 20, 50)


@contextmanager
def collecting_seldom() -> Generator[None]:
    """For its duration, unless the program has turned the collector off or set a large threshold itself."""
    before = gc.get_threshold()
    if not 0 < before[0] <= FEW:
        yield
        return
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
