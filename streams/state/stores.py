"""`Stores`: declares the state of processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from stores import (
    CustomSpec,
    CustomStore,
    HostedStore,
    KeyValueSpec,
    SessionSpec,
    StoreSpec,
    VersionedSpec,
    WindowSpec,
)
from streams.serde import Serde, serde_for
from streams.serde.codec import codec_of
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.key_value import KeyValueStore, TimestampedKeyValueStore
from streams.state.materialized import changelog_problems
from streams.state.session import SessionStore
from streams.state.versioned import VersionedKeyValueStore
from streams.state.window import TimestampedWindowStore, WindowStore

K = TypeVar("K")
V = TypeVar("V")
C = TypeVar("C", bound=CustomStore)

NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})


class Stores:
    """Makes declarations for `App.add_store` and `process(…, stores=[…])`.

    `key` and `value` are types or serdes, as everywhere. `persistent`: rows live in RocksDB, else in memory only;
    `logged`: changes go to a changelog topic, from which the store is restored; without it a lost store stays lost;
    `changelog`: settings of that topic, such as `{"segment.bytes": "1000000"}`, which count when it is made. Settings
    that cannot be raise ValueError.

    There is no caching option, because the write-back cache is always there and never holds anything back from what
    follows. Source: `org.apache.kafka.streams.state.Stores`, `StoreBuilder`.
    """

    @staticmethod
    def key_value(
        name: str,
        *,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        ttl: timedelta | None = None,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[KeyValueStore[K, V]]:
        """One value per key. `ttl`: a row expires when the task's stream time has reached its timestamp, which is that
        of the record it was put for, + `ttl`; see `Materialized`."""
        spec = _key_value(name, value, persistent, logged, ttl)
        return _declared(spec, key, value, KeyValueStore[K, V], changelog)

    @staticmethod
    def timestamped_key_value(
        name: str,
        *,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        ttl: timedelta | None = None,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[TimestampedKeyValueStore[K, V]]:
        """One value and its timestamp per key. `ttl`: a row expires when the task's stream time has reached its
        timestamp + `ttl`; see `Materialized`."""
        spec = _key_value(name, value, persistent, logged, ttl)
        return _declared(spec, key, value, TimestampedKeyValueStore[K, V], changelog)

    @staticmethod
    def lru(
        name: str,
        *,
        max_entries: int,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[KeyValueStore[K, V]]:
        """One value per key, in memory, at most `max_entries` in each task: the one that was put or got least recently
        makes room, as if it had been deleted. Scans use nothing. Restored rows count as used in the changelog's order.

        Source: `Stores.lruMap`. Raises ValueError: fewer than one entry.
        """
        codec = codec_of(serde_for(value, role="value"))
        spec = KeyValueSpec(name=name, codec=codec, persistent=False, logged=logged, max_entries=max_entries)
        return _declared(spec, key, value, KeyValueStore[K, V], changelog)

    @staticmethod
    def custom(
        name: str,
        make: Callable[[], C],
        *,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[C]:
        """A store of your own: `make()` gives one for each task, `context.store(name)` gives it to processors as it is.

        `CustomStore` says what it has to do; its rows are kept, logged and restored for it. `persistent` is about these
        rows. Source: in the place of a `StoreBuilder` of one's own.
        """
        spec = CustomSpec(name=name, make=make, persistent=persistent, logged=logged)
        keys = serde_for(bytes, role="key")
        return StoreDeclaration(spec, keys, keys, _itself, changelog=_checked(name, changelog, logged))

    @staticmethod
    def window(
        name: str,
        *,
        size: timedelta,
        retention: timedelta,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        retain_duplicates: bool = False,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[WindowStore[K, V]]:
        """One value per key and window start; windows leave when they start `retention` before the newest put.

        `size` is how long the windows are, which readers see as their end. `retain_duplicates`: each put is an entry of
        its own.
        """
        spec = _window(name, value, size, retention, retain_duplicates, persistent, logged)
        return _declared(spec, key, value, WindowStore[K, V], changelog)

    @staticmethod
    def timestamped_window(
        name: str,
        *,
        size: timedelta,
        retention: timedelta,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[TimestampedWindowStore[K, V]]:
        """One value and its timestamp per key and window start; see `window`."""
        spec = _window(name, value, size, retention, False, persistent, logged)
        return _declared(spec, key, value, TimestampedWindowStore[K, V], changelog)

    @staticmethod
    def session(
        name: str,
        *,
        retention: timedelta,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[SessionStore[K, V]]:
        """One value per key and session; sessions leave when they end `retention` before the newest put."""
        spec = SessionSpec(
            name=name,
            codec=codec_of(serde_for(value, role="value")),
            retention_ms=_ms(retention),
            persistent=persistent,
            logged=logged,
            follows_puts=True,
        )
        return _declared(spec, key, value, SessionStore[K, V], changelog)

    @staticmethod
    def versioned_key_value(
        name: str,
        *,
        history_retention: timedelta,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
        changelog: Mapping[str, str] = NO_SETTINGS,
    ) -> StoreDeclaration[VersionedKeyValueStore[K, V]]:
        """The versions of each key by time; they can be read and put until `history_retention` after their end."""
        codec = codec_of(serde_for(value, role="value"))
        spec = VersionedSpec(
            name=name, codec=codec, history_ms=_ms(history_retention), persistent=persistent, logged=logged
        )
        return _declared(spec, key, value, VersionedKeyValueStore[K, V], changelog)


def _window(
    name: str, value: Any, size: timedelta, retention: timedelta, duplicates: bool, persistent: bool, logged: bool
) -> WindowSpec:
    return WindowSpec(
        name=name,
        codec=codec_of(serde_for(value, role="value")),
        size_ms=_ms(size),
        retention_ms=_ms(retention),
        persistent=persistent,
        logged=logged,
        follows_puts=True,
        duplicates=duplicates,
        access="key",
    )


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _key_value(name: str, value: Any, persistent: bool, logged: bool, ttl: timedelta | None) -> KeyValueSpec:
    codec = codec_of(serde_for(value, role="value"))
    expire_after_ms = None if ttl is None else _ms(ttl)
    return KeyValueSpec(name=name, codec=codec, persistent=persistent, logged=logged, expire_after_ms=expire_after_ms)


def _declared(
    spec: StoreSpec, key: Any, value: Any, open_as: Any, changelog: Mapping[str, str]
) -> StoreDeclaration[Any]:
    keys, values = serde_for(key, role="key"), serde_for(value, role="value")
    return StoreDeclaration(spec, keys, values, open_as, changelog=_checked(spec.name, changelog, spec.logged))


def _checked(name: str, changelog: Mapping[str, str], logged: bool) -> Mapping[str, str]:
    """The settings; raises ValueError for those that cannot be."""
    for problem in changelog_problems(changelog, logged=logged):
        raise ValueError(f"store {name!r}: {problem}")
    return dict(changelog)


def _itself(store: HostedStore[C], declaration: StoreDeclaration[Any], moment: Moment) -> C:
    return store.custom()
