"""What a store is, before it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stores.codec import ValueCodec

MINIMUM_SEGMENT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class KeyValueSpec:
    """A store with one row per key.

    `persistent`: rows live in the task's RocksDB, otherwise only in memory, and a restart restores them from the
    changelog. `logged`: the store has a changelog.
    """

    name: str
    codec: ValueCodec
    persistent: bool = True
    logged: bool = True


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A store with one row per key and window start.

    Starts are >= 0. Rows with start <= time - `retention_ms` are forgotten, time being what `advance` was told.
    `segment_ms`: rows are stored, and later deleted, in segments of that many ms of window starts; default as in
    Kafka Streams, max(retention / 2, 60 s). All durations are in ms.
    """

    name: str
    codec: ValueCodec
    size_ms: int
    retention_ms: int
    segment_ms: int | None = None
    persistent: bool = True
    logged: bool = True

    def __post_init__(self) -> None:
        if self.retention_ms < 0:
            raise ValueError(f"store {self.name!r}: retention_ms is {self.retention_ms}, it must not be negative")
        if self.segment_ms is not None and self.segment_ms < 1:
            raise ValueError(f"store {self.name!r}: segment_ms is {self.segment_ms}, it must be at least 1")

    @property
    def segment_interval_ms(self) -> int:
        """`segment_ms`, or its default."""
        return self.segment_ms or max(self.retention_ms // 2, MINIMUM_SEGMENT_MS)


StoreSpec = KeyValueSpec | WindowSpec
