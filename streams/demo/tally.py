"""The result as it stands: the newest row of each state and day, read from the application's output topic.

Every flight that is counted puts one update on the topic, so what has been counted can be seen from outside, without
asking the worker: it is the sum of the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from confluent_kafka import Message

WINDOW_START_BYTES = 8


class StateDay(NamedTuple):
    """A state and the first ms of a day (UTC)."""

    state: str
    day: int


class DelayRow(msgspec.Struct, frozen=True):
    """A value on the output topic. Delays in minutes."""

    flights: int
    mean_delay: float
    worst: int


class Tally:
    """Newest row by state and day."""

    def __init__(self) -> None:
        self._rows: dict[bytes, DelayRow] = {}
        self._decode = msgspec.json.Decoder(DelayRow).decode
        self.updates = 0
        """Records read from the output topic."""
        self.flights = 0
        """Flights counted in the newest rows."""

    def add(self, messages: Iterable[Message]) -> None:
        """Takes in records in the order of their partition; only the newest of each key is decoded."""
        newest: dict[bytes, bytes | None] = {}
        for message in messages:
            key = message.key()
            value = message.value()
            assert isinstance(key, bytes)
            assert value is None or isinstance(value, bytes)
            newest[key] = value
            self.updates += 1
        for key, value in newest.items():
            if key in self._rows:
                self.flights -= self._rows.pop(key).flights
            if value is not None:
                row = self._rows[key] = self._decode(value)
                self.flights += row.flights

    def rows(self) -> Mapping[StateDay, DelayRow]:
        """All rows, keys decoded."""
        return {_state_day(key): row for key, row in self._rows.items()}

    def worst(self, number: int, *, at_least: int) -> list[tuple[StateDay, DelayRow]]:
        """The rows with the greatest mean delay among those with enough flights to mean something, worst first."""
        enough = [(row.mean_delay, key) for key, row in self._rows.items() if row.flights >= at_least]
        enough.sort(reverse=True)
        return [(_state_day(key), self._rows[key]) for _, key in enough[:number]]


def _state_day(key: bytes) -> StateDay:
    """The key of a time window: the record's key, then the window's start as a big-endian int64."""
    start = int.from_bytes(key[-WINDOW_START_BYTES:], "big", signed=True)
    return StateDay(key[:-WINDOW_START_BYTES].decode(), start)
