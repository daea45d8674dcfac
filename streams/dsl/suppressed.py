"""What `KTable.suppress` is told: until when changes wait, and how large their buffer may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from streams.windows.duration import whole_ms

WhenFull = Literal["emit_early", "shut_down"]


class BufferConfig(Struct, frozen=True, kw_only=True):
    """How much may wait in a buffer of one task, and what happens when it is full; made by `unbounded`, `max_records`
    or `max_bytes`.

    `record_limit` and `byte_limit` are None where there is no bound; bytes are those of the keys and of the values with
    their timestamps and headers. `logged`: the buffer has a changelog topic, from which it is restored elsewhere, with
    the settings `changelog`.
    Source: `Suppressed.BufferConfig` (KIP-328).
    """

    record_limit: int | None = None
    byte_limit: int | None = None
    when_full: WhenFull = "shut_down"
    logged: bool = True
    changelog: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def unbounded(cls) -> BufferConfig:
        """No bound: what waits is on disk, with a part of it in memory."""
        return cls()

    @classmethod
    def max_records(cls, limit: int) -> BufferConfig:
        """At most `limit` keys wait; the oldest comes out early when there is one more.

        Raises:
            ValueError: `limit` is negative.
        """
        return cls(record_limit=_checked("max_records", limit), when_full="emit_early")

    @classmethod
    def max_bytes(cls, limit: int) -> BufferConfig:
        """At most `limit` bytes wait; the oldest changes come out early when there are more.

        Raises:
            ValueError: `limit` is negative.
        """
        return cls(byte_limit=_checked("max_bytes", limit), when_full="emit_early")

    def with_max_records(self, limit: int) -> BufferConfig:
        """The same with another bound of records. Raises ValueError."""
        return replace(self, record_limit=_checked("max_records", limit))

    def with_max_bytes(self, limit: int) -> BufferConfig:
        """The same with another bound of bytes. Raises ValueError."""
        return replace(self, byte_limit=_checked("max_bytes", limit))

    def with_no_bound(self) -> BufferConfig:
        """The same without bounds."""
        return replace(self, record_limit=None, byte_limit=None, when_full="shut_down")

    def emit_early_when_full(self) -> BufferConfig:
        """When it is full, the oldest changes come out before their time."""
        return replace(self, when_full="emit_early")

    def shut_down_when_full(self) -> BufferConfig:
        """When it is full, the record that would need more room fails (`BufferFullError`)."""
        return replace(self, when_full="shut_down")

    def with_logging_disabled(self) -> BufferConfig:
        """Without a changelog topic: what waits is lost with the local state."""
        return replace(self, logged=False, changelog={})

    def with_logging_enabled(self, changelog: Mapping[str, str]) -> BufferConfig:
        """With a changelog topic, as by default, and these settings of it, such as `{"segment.bytes": "1000000"}`; they
        count when the topic is made."""
        return replace(self, logged=True, changelog=dict(changelog))


UNBOUNDED = BufferConfig()


class Suppressed(Struct, frozen=True, kw_only=True):
    """Until when changes wait; made by `until_window_closes` or `until_time_limit`.

    `limit_ms` is None for windows, which close by their own end and grace.
    Source: `org.apache.kafka.streams.kstream.Suppressed`.
    """

    limit_ms: int | None
    buffer: BufferConfig


def until_window_closes(buffer: BufferConfig = UNBOUNDED) -> Suppressed:
    """Only the final result of each window comes out, once the window is closed.

    Args:
        buffer: must not let results out early: unbounded, or with `shut_down_when_full()`.

    Raises:
        ValueError: the buffer lets results out early.
    """
    if buffer.when_full == "emit_early":
        raise ValueError(
            "until_window_closes gives final results only, so its buffer cannot emit early: add .shut_down_when_full()"
        )
    return Suppressed(limit_ms=None, buffer=buffer)


def until_time_limit(limit: timedelta, buffer: BufferConfig = UNBOUNDED) -> Suppressed:
    """Of the changes of a key that come within `limit` (of event time) of the first, the last one comes out.

    Raises:
        ValueError: `limit` is not whole ms, or negative.
    """
    limit_ms = whole_ms("limit", limit)
    if limit_ms < 0:
        raise ValueError(f"limit must not be negative, got {limit}")
    return Suppressed(limit_ms=limit_ms, buffer=buffer)


def _checked(name: str, limit: int) -> int:
    if limit < 0:
        raise ValueError(f"{name} must not be negative, got {limit}")
    return limit
