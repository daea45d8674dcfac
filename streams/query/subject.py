"""What the query server asks a worker."""

from __future__ import annotations

from typing import Protocol

from streams.observe.reading import WorkerReading
from streams.query.stores import StoreHolder


class Subject(StoreHolder, Protocol):
    """A worker as others see it, from any thread."""

    @property
    def application_id(self) -> str: ...

    def reading(self) -> WorkerReading:
        """What it measured of itself."""
        ...
