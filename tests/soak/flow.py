"""What the harness must be told of a job to put it through faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tests.integration.worker_fleet import WorkerFleet
from tests.soak.verdict import OutputCheck


class Flow(Protocol):
    """An application on a broker with its input and what must come of it. Topics exist when it is made."""

    name: str
    fleet: WorkerFleet
    outputs: Sequence[str]
    """Its output topics."""
    partitions: int
    per_fault: int
    """Input records between one fault and the next."""
    length: int
    """Of the input, the part after the last fault included."""

    def send(self, start: int, end: int) -> None:
        """Hands input records from `start` up to `end` to a producer, without waiting."""
        ...

    def progress(self) -> str:
        """In a few words, how far the job is."""
        ...

    def finished(self) -> bool:
        """Asked again and again after the last record was sent: whether nothing more is to be waited for."""
        ...

    def checks(self) -> list[OutputCheck]:
        """All outputs; the workers have committed and left."""
        ...

    def findings(self) -> list[str]:
        """What else is wrong."""
        ...

    def close(self) -> None: ...
