"""`Stores`: declares the state of processors."""

from __future__ import annotations

from typing import Any, TypeVar

from stores import KeyValueSpec, ValueCodec
from streams.serde import Serde, serde_for
from streams.state.declaration import StoreDeclaration
from streams.state.key_value import KeyValueStore, TimestampedKeyValueStore

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


def _key_value(name: str, key: Any, value: Any, persistent: bool, logged: bool, open_as: Any) -> StoreDeclaration[Any]:
    keys, values = serde_for(key, role="key"), serde_for(value, role="value")
    spec = KeyValueSpec(name=name, codec=codec_of(values), persistent=persistent, logged=logged)
    return StoreDeclaration(spec, keys, values, open_as)


def codec_of(serde: Serde) -> ValueCodec:
    return ValueCodec(encode=serde.serialize, decode=serde.deserialize)
