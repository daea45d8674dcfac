"""From what a store is to the store."""

from __future__ import annotations

from stores.buffer_reader import BufferReader
from stores.clean import CleanRows
from stores.custom import CustomStore
from stores.expiring_key_value import ExpiringKeyValueStore
from stores.hosted import HostedKeyValueStore, HostedStore
from stores.key_value import KeyValueStore
from stores.key_value_reader import KeyValueReader
from stores.keyed_time_buffer import KeyedTimeBuffer
from stores.keyed_window import KeyedWindowStore
from stores.lru_key_value import LruKeyValueStore
from stores.segments import Segments
from stores.session import SessionStore
from stores.session_reader import SessionReader
from stores.specs import BufferSpec, CustomSpec, KeyValueSpec, SessionSpec, StoreSpec, VersionedSpec
from stores.table import Table
from stores.time_buffer import TimeBuffer
from stores.timed_keys import SESSION_KEYS, WINDOW_KEYS
from stores.version_segments import VersionSegments
from stores.versioned import VersionedStore
from stores.versioned_reader import VersionedReader
from stores.window import WindowStore
from stores.window_reader import WindowReader

Store = (
    KeyValueStore
    | WindowStore
    | KeyedWindowStore
    | SessionStore
    | VersionedStore
    | TimeBuffer
    | KeyedTimeBuffer
    | HostedKeyValueStore
    | HostedStore[CustomStore]
)

StoreReader = KeyValueReader | WindowReader | SessionReader | VersionedReader | BufferReader
"""Committed rows of a store, for any thread."""


def opened(spec: StoreSpec, table: Table, segment_ms: int | None, time: int) -> Store:
    """The store of a table. `segment_ms`: what it was created with, None for a new one; `time`: its committed clock."""
    if isinstance(spec, CustomSpec):
        return HostedStore(spec, spec.make(), table, CleanRows())
    if isinstance(spec, KeyValueSpec):
        if spec.custom is not None:
            return HostedKeyValueStore(spec, table, CleanRows())
        if spec.expire_after_ms is not None:
            return ExpiringKeyValueStore(spec, table, CleanRows(), time)
        return (KeyValueStore if spec.max_entries is None else LruKeyValueStore)(spec, table, CleanRows())
    if isinstance(spec, BufferSpec):
        return (KeyedTimeBuffer if spec.keyed else TimeBuffer)(spec, table, CleanRows())
    segment_ms = segment_ms or spec.segment_interval_ms
    if isinstance(spec, SessionSpec):
        return SessionStore(spec, Segments(table, SESSION_KEYS, segment_ms), CleanRows(), time)
    if isinstance(spec, VersionedSpec):
        return VersionedStore(spec, VersionSegments(table, WINDOW_KEYS, segment_ms), CleanRows(), time)
    segments = Segments(table, WINDOW_KEYS, segment_ms)
    if spec.by_key:
        return KeyedWindowStore(spec, segments, CleanRows(), time)
    return WindowStore(spec, segments, CleanRows(), time)
