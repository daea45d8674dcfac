"""How a test opens, closes and restarts a task state, on RocksDB and in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stores import (
    ChangelogRecord,
    KeyedWindowStore,
    KeyValueSpec,
    KeyValueStore,
    MemoryDisk,
    MemoryTaskState,
    RocksDbResources,
    RocksDbTaskState,
    SessionSpec,
    SessionStore,
    StoreSpec,
    TaskState,
    ValueCodec,
    VersionedSpec,
    VersionedStore,
    WindowSpec,
    WindowStore,
)

JSON = ValueCodec(lambda value: json.dumps(value).encode(), json.loads)
COUNTS = KeyValueSpec("counts", JSON)
NAMES = KeyValueSpec("names", JSON)
WINDOWS = WindowSpec("windows", JSON, size_ms=10, retention_ms=100, segment_ms=30)
VERSIONS = VersionedSpec("versions", JSON, history_ms=100, segment_ms=30)
SESSIONS = SessionSpec("sessions", JSON, retention_ms=100, segment_ms=30)


class Backend:
    """One place for a task's state; `restart` plays a new process there."""

    def __init__(self) -> None:
        self._states: list[TaskState] = []

    def open(self, specs: Sequence[StoreSpec] = (COUNTS, NAMES, WINDOWS)) -> TaskState:
        state = self._open(specs)
        self._states.append(state)
        return state

    def restart(self, specs: Sequence[StoreSpec] = (COUNTS, NAMES, WINDOWS)) -> TaskState:
        self.close()
        return self.open(specs)

    def close(self) -> None:
        for state in self._states:
            state.close()
        self._states.clear()

    def elsewhere(self) -> Backend:
        """Another place of the same kind, empty."""
        raise NotImplementedError

    def _open(self, specs: Sequence[StoreSpec]) -> TaskState:
        raise NotImplementedError


class RocksDbBackend(Backend):
    def __init__(self, path: Path, resources: RocksDbResources) -> None:
        super().__init__()
        self.path = path
        self.resources = resources

    def elsewhere(self) -> RocksDbBackend:
        return RocksDbBackend(self.path.with_name(self.path.name + "-elsewhere"), self.resources)

    def _open(self, specs: Sequence[StoreSpec]) -> TaskState:
        return RocksDbTaskState.open(self.path, specs, self.resources)


class MemoryBackend(Backend):
    def __init__(self) -> None:
        super().__init__()
        self.disk = MemoryDisk()

    def elsewhere(self) -> MemoryBackend:
        return MemoryBackend()

    def _open(self, specs: Sequence[StoreSpec]) -> TaskState:
        return MemoryTaskState.open(specs, self.disk)


def key_values(state: TaskState, name: str = "counts") -> KeyValueStore:
    store = state.store(name)
    assert isinstance(store, KeyValueStore)
    return store


def windows(state: TaskState, name: str = "windows") -> WindowStore:
    store = state.store(name)
    assert isinstance(store, WindowStore)
    return store


def keyed_windows(state: TaskState, name: str = "windows") -> KeyedWindowStore:
    store = state.store(name)
    assert isinstance(store, KeyedWindowStore)
    return store


def session_store(state: TaskState, name: str = "sessions") -> SessionStore:
    store = state.store(name)
    assert isinstance(store, SessionStore)
    return store


def versioned(state: TaskState, name: str = "versions") -> VersionedStore:
    store = state.store(name)
    assert isinstance(store, VersionedStore)
    return store


def fill(store: KeyValueStore, rows: dict[bytes, Any], timestamp: int = 1) -> None:
    for key, value in rows.items():
        store.put(key, None if value is None else (value, timestamp))


def values(rows: Iterable[tuple[bytes, tuple[Any, int]]]) -> dict[bytes, Any]:
    """Key -> value, in the order of the scan."""
    return {key: value for key, (value, _) in rows}


def replay(records: Iterable[ChangelogRecord]) -> list[tuple[bytes, bytes | None, int]]:
    """Changelog records as a consumer of the topic sees them."""
    return [tuple(record) for record in records]
