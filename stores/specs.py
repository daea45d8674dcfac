"""What a store is, before it is opened.

All durations are in ms. In every spec `persistent` means that rows live in the task's RocksDB; otherwise they are only
in memory, and a restart restores them from the changelog. `logged`: the store has a changelog.

A store with retention needs a clock. The DSL's operators tell it theirs through `advance`, so that a watermark that
holds an operator back keeps the rows it still needs. With `follows_puts` it is the newest time that was put, as in
Kafka Streams: for stores of users' processors, which have no clock of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from msgspec import Struct

from stores.codec import ValueCodec

if TYPE_CHECKING:
    from stores.custom import CustomKeyValueStore, CustomStore

MINIMUM_SEGMENT_MS: Final = 60_000


class KeyValueSpec(Struct, frozen=True):
    """A store with one row per key.

    `expire_after_ms`: a row is gone once so much time has passed since its timestamp; `follows_puts` is for these.
    `max_entries`: it holds so many rows at most and lets the least recently used ones go; it has to be in memory.
    `custom` makes a store of a user's own that is put in the place of ours.
    """

    kind: ClassVar[str] = "key-value"

    name: str
    codec: ValueCodec
    persistent: bool = True
    logged: bool = True
    expire_after_ms: int | None = None
    follows_puts: bool = False
    max_entries: int | None = None
    custom: Callable[[], CustomKeyValueStore] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether generated code may read and write `dirty` itself; else it asks the store for each row."""
        return self.expire_after_ms is None and self.max_entries is None and self.custom is None

    def __post_init__(self) -> None:
        if self.expire_after_ms is not None and self.expire_after_ms < 1:
            raise ValueError(f"store {self.name!r}: expire_after_ms is {self.expire_after_ms}, it must be at least 1")
        if self.max_entries is not None:
            if self.max_entries < 1:
                raise ValueError(f"store {self.name!r}: max_entries is {self.max_entries}, it must be at least 1")
            if self.persistent or self.expire_after_ms is not None:
                raise ValueError(
                    f"store {self.name!r}: a store with max_entries is in memory and its rows do not expire: set "
                    "persistent=False and leave out expire_after_ms"
                )


class WindowSpec(Struct, frozen=True):
    """A store with one row per key and window start.

    Starts are >= 0. Rows with start <= time - `retention_ms` are forgotten. `segment_ms`: rows are stored, and later
    deleted, in segments of that many ms of window starts; default as in Kafka Streams, max(retention / 2, 60 s).
    `duplicates`: every put is a row of its own, in order of arrival, and None puts nothing (`retainDuplicates`).
    `access` says what is asked for most, single windows ("start") or stretches of one key's windows ("key"); it changes
    the speed, and the class of the store, but no result. Stores with duplicates are accessed by key.
    """

    kind: ClassVar[str] = "window"

    name: str
    codec: ValueCodec
    size_ms: int
    retention_ms: int
    segment_ms: int | None = None
    persistent: bool = True
    logged: bool = True
    follows_puts: bool = False
    duplicates: bool = False
    access: Literal["start", "key"] = "start"

    def __post_init__(self) -> None:
        check_times(self.name, self.retention_ms, self.segment_ms)

    @property
    def by_key(self) -> bool:
        """Whether the store is kept key by key in memory."""
        return self.duplicates or self.access == "key"

    @property
    def segment_interval_ms(self) -> int:
        """`segment_ms`, or its default."""
        return segment_interval(self.segment_ms, self.retention_ms)


class SessionSpec(Struct, frozen=True):
    """A store with one row per key, session start and session end, both inclusive.

    Times are >= 0. Sessions with end <= time - `retention_ms` are forgotten. `segment_ms`: as with windows, by the end.
    """

    kind: ClassVar[str] = "session"

    name: str
    codec: ValueCodec
    retention_ms: int
    segment_ms: int | None = None
    persistent: bool = True
    logged: bool = True
    follows_puts: bool = False

    def __post_init__(self) -> None:
        check_times(self.name, self.retention_ms, self.segment_ms)

    @property
    def segment_interval_ms(self) -> int:
        """`segment_ms`, or its default."""
        return segment_interval(self.segment_ms, self.retention_ms)


class VersionedSpec(Struct, frozen=True):
    """A store with a row per key and timestamp: the versions of each key (KIP-889).

    A version can be read, and versions before it can be put, until `history_ms` after its end; later ones are rejected.
    `segment_ms`: as with windows, by the end of versions. `logged`: compaction of the changelog has to spare records of
    the last `history_ms` (`min.compaction.lag.ms`), as it is by key.
    """

    kind: ClassVar[str] = "versioned"

    name: str
    codec: ValueCodec
    history_ms: int
    segment_ms: int | None = None
    persistent: bool = True
    logged: bool = True
    follows_puts: bool = True

    def __post_init__(self) -> None:
        check_times(self.name, self.history_ms, self.segment_ms, retention="history_ms")

    @property
    def retention_ms(self) -> int:
        """`history_ms`."""
        return self.history_ms

    @property
    def segment_interval_ms(self) -> int:
        """`segment_ms`, or its default."""
        return segment_interval(self.segment_ms, self.history_ms)


class BufferSpec(Struct, frozen=True):
    """A store of byte strings that wait for their time (see `stores.time_buffer`).

    `lanes`: how many queues it has, 1 to 255. `keyed`: one value for each key, a later one replaces it and keeps its
    place; such a buffer has one lane.
    """

    name: str
    lanes: int = 1
    keyed: bool = False
    persistent: bool = True
    logged: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.lanes <= (1 if self.keyed else 255):
            raise ValueError(f"store {self.name!r}: {self.lanes} lanes; it may have 1 to 255, and 1 if it is keyed")

    @property
    def kind(self) -> str:
        return "keyed-buffer" if self.keyed else "buffer"


class CustomSpec(Struct, frozen=True):
    """A store that a user wrote (see `stores.custom`); `make` gives one for each task."""

    kind: ClassVar[str] = "custom"
    codec: ClassVar[ValueCodec] = ValueCodec(encode=bytes, decode=bytes)
    """Its rows are bytes."""

    name: str
    make: Callable[[], CustomStore]
    persistent: bool = True
    logged: bool = True


SegmentedSpec = WindowSpec | SessionSpec | VersionedSpec
"""Specs of stores that keep their rows in segments."""

StoreSpec = KeyValueSpec | SegmentedSpec | BufferSpec | CustomSpec


def check_times(store: str, retention_ms: int, segment_ms: int | None, *, retention: str = "retention_ms") -> None:
    """Raises ValueError for durations that cannot be."""
    if retention_ms < 0:
        raise ValueError(f"store {store!r}: {retention} is {retention_ms}, it must not be negative")
    if segment_ms is not None and segment_ms < 1:
        raise ValueError(f"store {store!r}: segment_ms is {segment_ms}, it must be at least 1")


def segment_interval(segment_ms: int | None, retention_ms: int) -> int:
    """`segment_ms`, or Kafka Streams' default."""
    return segment_ms or max(retention_ms // 2, MINIMUM_SEGMENT_MS)
