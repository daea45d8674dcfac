"""Stores of the DSL's tables and aggregations, as processors see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stores import StoreSpec
from streams.serde import Serde
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.key_value import ReadOnlyKeyValueStore, TimestampedKeyValueStore, ValueAndTimestamp
from streams.state.session import ReadOnlySessionStore, SessionStore
from streams.state.versioned import ReadOnlyVersionedStore, VersionedKeyValueStore
from streams.state.window import ReadOnlyWindowStore, TimestampedWindowStore


def table_store(
    spec: StoreSpec,
    key: Serde,
    value: Serde,
    present: Callable[[Any], Any] | None,
    *,
    read_only: bool = False,
    everywhere: bool = False,
) -> StoreDeclaration[Any]:
    """The store of a table by its name in `stores=`: values with their timestamps; sessions without.

    `present` makes what users see of a row's state; a store whose rows hold something else than that can only be read.
    """
    if read_only and present is None:
        present = _as_it_is

    def open_as(rows: Any, declaration: StoreDeclaration[Any], moment: Moment) -> Any:
        readable, writable = KINDS[spec.kind]
        store: Any = (readable if present is not None else writable)(rows, declaration, moment)
        if present is not None:
            store.present = present
        return store

    return StoreDeclaration(spec, key, value, open_as, everywhere)


def _as_it_is(value: Any) -> Any:
    return value


class PresentedKeyValueStore(ReadOnlyKeyValueStore[Any, Any]):
    """Rows of named aggregates: their values are made of the state when they are read."""

    __slots__ = ("present",)
    present: Callable[[Any], Any]

    def _value_of(self, row: Any) -> Any:
        return ValueAndTimestamp[Any](self.present(row[0]), row[1])


class PresentedWindowStore(ReadOnlyWindowStore[Any, Any]):
    """The same in windows."""

    __slots__ = ("present",)
    present: Callable[[Any], Any]

    def _value_of(self, row: Any) -> Any:
        return ValueAndTimestamp[Any](self.present(row[0]), row[1])


class PresentedSessionStore(ReadOnlySessionStore[Any, Any]):
    """The same in sessions."""

    __slots__ = ("present",)
    present: Callable[[Any], Any]

    def _value_of(self, row: Any) -> Any:
        return self.present(row[0])


class PresentedVersionedStore(ReadOnlyVersionedStore[Any, Any]):
    """The same by version."""

    __slots__ = ("present",)
    present: Callable[[Any], Any]

    def _value_of(self, value: Any) -> Any:
        return self.present(value)


KINDS: Mapping[str, tuple[type, type]] = {
    "key-value": (PresentedKeyValueStore, TimestampedKeyValueStore),
    "window": (PresentedWindowStore, TimestampedWindowStore),
    "session": (PresentedSessionStore, SessionStore),
    "versioned": (PresentedVersionedStore, VersionedKeyValueStore),
}
"""Kind of a spec -> what is seen of its store where rows hold states, and where they hold values."""
