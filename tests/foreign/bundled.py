"""The bundled broker for programs that run for minutes: a process with a data directory of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker import Broker


@contextmanager
def bundled_broker() -> Iterator[Broker]:
    """Runs until the block ends; its data is gone then."""
    with (
        tempfile.TemporaryDirectory(prefix="headrace-foreign-") as directory,
        Broker(Path(directory) / "data") as broker,
    ):
        yield broker
