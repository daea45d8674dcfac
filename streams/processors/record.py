"""Records as processors see them: immutable, with methods that give changed copies."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2")
V2 = TypeVar("V2")

RecordHeaders = tuple[tuple[str, bytes | None], ...]


class Record(Struct, Generic[K, V], frozen=True):
    """A key, a value, event time in ms since the epoch, and headers as (name, value) pairs in order.

    Key and value may be None. Source: `org.apache.kafka.streams.processor.api.Record` (KIP-478).

    Raises:
        ValueError: the timestamp is negative.
    """

    key: K
    value: V
    timestamp: int
    headers: RecordHeaders = ()

    def __post_init__(self) -> None:
        if self.timestamp < 0:
            raise ValueError(f"a record's timestamp is {self.timestamp}; it must be ms since the epoch, 0 or more")

    def with_key(self, key: K2) -> Record[K2, V]:
        return Record(key, self.value, self.timestamp, self.headers)

    def with_value(self, value: V2) -> Record[K, V2]:
        return Record(self.key, value, self.timestamp, self.headers)

    def with_timestamp(self, timestamp: int) -> Record[K, V]:
        return Record(self.key, self.value, timestamp, self.headers)

    def with_headers(self, headers: RecordHeaders) -> Record[K, V]:
        return Record(self.key, self.value, self.timestamp, headers)


class FixedKeyRecord(Struct, Generic[K, V], frozen=True):
    """A record whose key nobody can change, as a `FixedKeyProcessor` gets and forwards them.

    Make new ones of those you were given, with the `with_` methods; one you make yourself must have a key of the same
    partition, or what follows looks for it in the wrong task. Source: `FixedKeyRecord` (KIP-820).

    Raises:
        ValueError: the timestamp is negative.
    """

    key: K
    value: V
    timestamp: int
    headers: RecordHeaders = ()

    def __post_init__(self) -> None:
        if self.timestamp < 0:
            raise ValueError(f"a record's timestamp is {self.timestamp}; it must be ms since the epoch, 0 or more")

    def with_value(self, value: V2) -> FixedKeyRecord[K, V2]:
        return FixedKeyRecord(self.key, value, self.timestamp, self.headers)

    def with_timestamp(self, timestamp: int) -> FixedKeyRecord[K, V]:
        return FixedKeyRecord(self.key, self.value, timestamp, self.headers)

    def with_headers(self, headers: RecordHeaders) -> FixedKeyRecord[K, V]:
        return FixedKeyRecord(self.key, self.value, self.timestamp, headers)
