"""The bundled broker for programs that run for minutes: a process with a data directory of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker import Broker, BrokerOptions


@contextmanager
def bundled_broker(**options: Any) -> Iterator[Broker]:
    """Runs until the block ends; its data is gone then. `options`: as of `BrokerOptions`."""
    with (
        tempfile.TemporaryDirectory(prefix="headrace-foreign-") as directory,
        Broker(options=BrokerOptions(data=Path(directory) / "data", **options)) as broker,
    ):
        yield broker
