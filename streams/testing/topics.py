"""The test driver's handles on topics: typed records in, typed records out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.compile.program import Headers
from streams.serde import Serde
from streams.testing.message import DriverMessage


@dataclass(frozen=True, slots=True)
class TestRecord:
    """One record as a test reads it: decoded key and value, timestamp in ms, headers."""

    __test__ = False  # not a test class, whatever its name makes pytest think

    key: Any
    value: Any
    timestamp: int
    headers: Headers = field(default_factory=list[tuple[str, bytes | None]])


class Pipe(Protocol):
    """The driver as its input topics see it; `now` is the time of records piped without one."""

    now: int

    def pipe(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers | None
    ) -> None: ...


class InputTopic:
    """Pipes records into one topic. Source: `TestInputTopic`."""

    def __init__(self, name: str, key_serde: Serde, value_serde: Serde, driver: Pipe) -> None:
        self.name = name
        self._key = key_serde
        self._value = value_serde
        self._driver = driver

    def pipe(
        self, value: Any, *, key: Any = None, timestamp: int | None = None, headers: Headers | None = None
    ) -> None:
        """Processes one record completely.

        Args:
            timestamp: ms since the epoch; without one the last piped record's.
        """
        if timestamp is None:
            timestamp = self._driver.now
        self._driver.now = timestamp
        self._driver.pipe(
            self.name,
            None if key is None else self._key.serialize(key),
            None if value is None else self._value.serialize(value),
            timestamp,
            headers,
        )


class OutputTopic:
    """Reads what came to one topic, oldest first, each record once. Source: `TestOutputTopic`."""

    def __init__(self, name: str, key_serde: Serde, value_serde: Serde, records: deque[DriverMessage]) -> None:
        self.name = name
        self._key = key_serde
        self._value = value_serde
        self._records = records

    def __len__(self) -> int:
        """How many records are still to be read."""
        return len(self._records)

    def read(self) -> TestRecord:
        """The next record. Raises LookupError when there is none."""
        if not self._records:
            raise LookupError(f"nothing more on topic {self.name!r}")
        message = self._records.popleft()
        key, value = message.key(), message.value()
        return TestRecord(
            None if key is None else self._key.deserialize(key),
            None if value is None else self._value.deserialize(value),
            message.timestamp()[1],
            message.headers() or [],
        )

    def read_all(self) -> list[TestRecord]:
        """All that is left."""
        return [self.read() for _ in range(len(self._records))]
