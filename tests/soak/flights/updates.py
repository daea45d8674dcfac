"""The output as a reader of committed records sees it: every update of every key, in order, once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from confluent_kafka import Message

from streams.demo.tally import DelayRow, Tally


class UpdateTally(Tally):
    """A tally that also follows each key from update to update: every flight moves its count on by one."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[bytes, int] = {}
        self._decode_update = msgspec.json.Decoder(DelayRow).decode
        self.repeated = 0
        """Updates whose count had been seen before: a reader saw something twice, or taken back."""
        self.skipped = 0
        """Counts that were passed over: an update was lost, though a later one includes it."""

    def add(self, messages: Iterable[Message]) -> None:
        messages = list(messages)
        super().add(messages)
        for message in messages:
            key, value = message.key(), message.value()
            assert isinstance(key, bytes)
            assert isinstance(value, bytes)
            count, before = self._decode_update(value).flights, self._counts.get(key, 0)
            self.repeated += count <= before
            self.skipped += max(count - before - 1, 0)
            self._counts[key] = max(count, before)
