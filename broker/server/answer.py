"""The line of answers of a connection: they go out in the order of the requests, whichever is ready first."""

from __future__ import annotations

from collections.abc import Sequence

from broker.handlers.table import Operation
from broker.protocol.batches import Buffer


class Answer:
    """A place in the line of answers."""

    __slots__ = ("correlation_id", "operation", "parts")

    def __init__(self, correlation_id: int, operation: Operation) -> None:
        self.correlation_id = correlation_id
        self.operation = operation
        self.parts: Sequence[Buffer] | None = None
        """The body; None: not there yet."""
