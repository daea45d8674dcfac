"""The test driver's handles on topics: typed records in, typed records out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

from streams.compile.program import Headers
from streams.errors import Part, SerdeError
from streams.serde import Destination, Serde, describe_type
from streams.testing.difference import Expected, difference
from streams.testing.message import DriverMessage
from streams.testing.record import Sketches, TestRecord, parts
from streams.testing.table_literal import parse_table


class Pipe(Protocol):
    """The driver as its input topics see it; `now` is the time of records piped without one, ms."""

    now: int

    def pipe(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers | None
    ) -> None: ...


class InputTopic:
    """Pipes records into one topic. Source: `TestInputTopic`."""

    def __init__(
        self, name: str, key_serde: Serde, value_serde: Serde, driver: Pipe, advance: timedelta = timedelta(0)
    ) -> None:
        self.name = name
        self._key = key_serde.bound(Destination(name, "key"))
        self._value = value_serde.bound(Destination(name, "value"))
        self._driver = driver
        self._advance_ms = advance // timedelta(milliseconds=1)
        self._next: int | None = None

    def __repr__(self) -> str:
        return f"InputTopic({self.name!r})"

    def pipe(
        self, value: Any, *, key: Any = None, timestamp: int | None = None, headers: Headers | None = None
    ) -> None:
        """Processes one record completely. None as a value is a tombstone.

        Args:
            timestamp: ms since the epoch; without one the last piped record's, or with `advance` this topic's last
                and that much more.

        Raises:
            SerdeError, ProcessingError: the record could not be processed; see `TopologyTestDriver.pipe`.
        """
        if timestamp is None:
            timestamp = self._driver.now if self._next is None else self._next
        self._driver.now = timestamp
        if self._advance_ms:
            self._next = timestamp + self._advance_ms
        self._driver.pipe(
            self.name,
            self._bytes("key", self._key, key),
            self._bytes("value", self._value, value),
            timestamp,
            headers,
        )

    def _bytes(self, part: Part, serde: Serde, value: Any) -> bytes | None:
        try:
            return None if value is None else serde.serialize(value)
        except Exception as error:
            raise SerdeError(
                part=part, type_name=describe_type(serde.type), topic=self.name, action="serialize", cause=error
            ) from error

    def pipe_all(self, records: Sketches) -> None:
        """Processes records one after the other.

        Args:
            records: `(key, value)`, `(key, value, timestamp)` or `TestRecord`; a dict of key -> value; or a table
                literal, whose cells become values of the topic's types.
        """
        if isinstance(records, str):
            table = parse_table(records)
            for key, value, timestamp in list(table.records(self._key.type, self._value.type)):
                self.pipe(value, key=key, timestamp=timestamp)
            return
        for key, value, timestamp, headers in parts(records):
            self.pipe(value, key=key, timestamp=timestamp, headers=headers)

    def pipe_values(self, values: Iterable[Any], *, key: Any = None) -> None:
        """Processes values that have the same key, or none."""
        for value in values:
            self.pipe(value, key=key)

    def advance_time(self, by: timedelta) -> None:
        """Records without a timestamp are that much later from now on."""
        self._driver.now += by // timedelta(milliseconds=1)
        self._next = None


class OutputTopic:
    """Reads what came to one topic, oldest first, each record once. Source: `TestOutputTopic`."""

    def __init__(self, name: str, key_serde: Serde, value_serde: Serde, records: deque[DriverMessage]) -> None:
        self.name = name
        self._key = key_serde.bound(Destination(name, "key"))
        self._value = value_serde.bound(Destination(name, "value"))
        self._records = records

    def __repr__(self) -> str:
        return f"OutputTopic({self.name!r}, {len(self)} to be read)"

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

    def read_values(self) -> list[Any]:
        """The values of all that is left."""
        return [record.value for record in self.read_all()]

    def read_table(self) -> dict[Any, Any]:
        """All that is left, read as a table's changes: the last value of each key, in the order of the keys' first
        records; a null value deletes. Source: `readKeyValuesToMap`, which keeps the nulls."""
        return {record.key: record.value for record in self._rows()}

    def assert_records(self, expected: Expected) -> None:
        """That exactly these records are left, in this order; they are read.

        Args:
            expected: `(key, value)`, `(key, value, timestamp)` or `TestRecord`; or a table literal, which is compared
                in the columns it has.

        Raises:
            AssertionError: showing both line by line.
        """
        __tracebackhide__ = True
        _check(difference(f"topic {self.name!r}", self.read_all(), expected))

    def assert_table(self, expected: Expected) -> None:
        """That all that is left makes this table, as `read_table` reads it; the order of rows does not matter.

        Args:
            expected: a dict of key -> value, or what `assert_records` takes.
        """
        __tracebackhide__ = True
        _check(difference(f"the table on topic {self.name!r}", self._rows(), expected, ordered=False))

    def assert_empty(self) -> None:
        """That nothing is left."""
        __tracebackhide__ = True
        self.assert_records([])

    def _rows(self) -> list[TestRecord]:
        rows: dict[Any, TestRecord] = {}
        for record in self.read_all():
            rows[record.key] = record
        return [record for record in rows.values() if record.value is not None]


def _check(problem: str | None) -> None:
    __tracebackhide__ = True
    if problem is not None:
        raise AssertionError(problem)
