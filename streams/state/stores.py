"""`Stores`: declares the state of processors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from stores import KeyValueSpec, SessionSpec, ValueCodec, VersionedSpec, WindowSpec
from streams.serde import Serde, serde_for
from streams.state.declaration import StoreDeclaration
from streams.state.key_value import KeyValueStore, TimestampedKeyValueStore
from streams.state.session import SessionStore
from streams.state.versioned import VersionedKeyValueStore
from streams.state.window import TimestampedWindowStore, WindowStore

K = TypeVar("K")
V = TypeVar("V")


class Stores:
    """Makes declarations for `App.add_store` and `process(…, stores=[…])`.

    `key` and `value` are types or serdes, as everywhere. `persistent`: rows live in RocksDB, else in memory only;
    `logged`: changes go to a changelog topic, from which the store is restored; without it a lost store stays lost.
    Source: `org.apache.kafka.streams.state.Stores`; there is no caching option, because the write-back cache is always
    there and never holds anything back from what follows.
    """

    @staticmethod
    def key_value(
        name: str,
        *,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
    ) -> StoreDeclaration[KeyValueStore[K, V]]:
        """One value per key."""
        return _key_value(name, key, value, persistent, logged, KeyValueStore[K, V])

    @staticmethod
    def timestamped_key_value(
        name: str,
        *,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
    ) -> StoreDeclaration[TimestampedKeyValueStore[K, V]]:
        """One value and its timestamp per key."""
        return _key_value(name, key, value, persistent, logged, TimestampedKeyValueStore[K, V])

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
    ) -> StoreDeclaration[WindowStore[K, V]]:
        """One value per key and window start; windows leave when they start `retention` before the newest put.

        `size` is how long the windows are, which readers see as their end. `retain_duplicates`: each put is an entry of
        its own.
        """
        spec = _window(name, value, size, retention, retain_duplicates, persistent, logged)
        return StoreDeclaration(spec, serde_for(key, role="key"), serde_for(value, role="value"), WindowStore[K, V])

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
    ) -> StoreDeclaration[TimestampedWindowStore[K, V]]:
        """One value and its timestamp per key and window start; see `window`."""
        spec = _window(name, value, size, retention, False, persistent, logged)
        keys, values = serde_for(key, role="key"), serde_for(value, role="value")
        return StoreDeclaration(spec, keys, values, TimestampedWindowStore[K, V])

    @staticmethod
    def session(
        name: str,
        *,
        retention: timedelta,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
    ) -> StoreDeclaration[SessionStore[K, V]]:
        """One value per key and session; sessions leave when they end `retention` before the newest put."""
        values = serde_for(value, role="value")
        spec = SessionSpec(
            name=name,
            codec=codec_of(values),
            retention_ms=_ms(retention),
            persistent=persistent,
            logged=logged,
            follows_puts=True,
        )
        return StoreDeclaration(spec, serde_for(key, role="key"), values, SessionStore[K, V])

    @staticmethod
    def versioned_key_value(
        name: str,
        *,
        history_retention: timedelta,
        key: type[K] | Serde | Any = str,
        value: type[V] | Serde | Any = Any,
        persistent: bool = True,
        logged: bool = True,
    ) -> StoreDeclaration[VersionedKeyValueStore[K, V]]:
        """The versions of each key by time; they can be read and put until `history_retention` after their end."""
        values = serde_for(value, role="value")
        spec = VersionedSpec(
            name=name, codec=codec_of(values), history_ms=_ms(history_retention), persistent=persistent, logged=logged
        )
        return StoreDeclaration(spec, serde_for(key, role="key"), values, VersionedKeyValueStore[K, V])


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


def _key_value(name: str, key: Any, value: Any, persistent: bool, logged: bool, open_as: Any) -> StoreDeclaration[Any]:
    keys, values = serde_for(key, role="key"), serde_for(value, role="value")
    spec = KeyValueSpec(name=name, codec=codec_of(values), persistent=persistent, logged=logged)
    return StoreDeclaration(spec, keys, values, open_as)


def codec_of(serde: Serde) -> ValueCodec:
    return ValueCodec(encode=serde.serialize, decode=serde.deserialize)
