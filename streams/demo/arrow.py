"""pyarrow, loaded at first use. It has no type stubs, so this is the one place where its names are `Any`."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

ArrowTable: TypeAlias = Any
"""A `pyarrow.Table`."""


def arrow() -> Any:
    """The module `pyarrow`."""
    return import_module("pyarrow")


def compute() -> Any:
    """The module `pyarrow.compute`."""
    return import_module("pyarrow.compute")


def parquet() -> Any:
    """The module `pyarrow.parquet`."""
    return import_module("pyarrow.parquet")


def milliseconds(dates: Any) -> Any:
    """A column of timestamps in any unit as int64 ms since the epoch."""
    pa, pc = arrow(), compute()
    return pc.cast(pc.cast(dates, pa.timestamp("ms")), pa.int64())
