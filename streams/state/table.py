"""Stores of the DSL's tables and aggregations, as processors see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stores import KeyValueSpec, StoreSpec
from streams.serde import Serde
from streams.state.declaration import Moment, StoreDeclaration
from streams.state.key_value import ReadOnlyKeyValueStore, TimestampedKeyValueStore, ValueAndTimestamp


def table_store(
    spec: StoreSpec, key: Serde, value: Serde, present: Callable[[Any], Any] | None
) -> StoreDeclaration[Any]:
    """The store of a table by its name in `stores=`: values with their timestamps.

    `present` makes what users see of a row's state; a store whose rows hold something else than that can only be read.
    """
    if not isinstance(spec, KeyValueSpec):
        raise NotImplementedError(spec)

    def open_as(rows: Any, declaration: StoreDeclaration[Any], moment: Moment) -> Any:
        if present is None:
            return TimestampedKeyValueStore[Any, Any](rows, declaration, moment)
        return _Presented(rows, declaration, moment, present)

    return StoreDeclaration(spec, key, value, open_as)


class _Presented(ReadOnlyKeyValueStore[Any, Any]):
    """Rows of named aggregates: their values are made of the state when they are read."""

    __slots__ = ("_present",)

    def __init__(self, rows: Any, declaration: StoreDeclaration[Any], moment: Moment, present: Any) -> None:
        super().__init__(rows, declaration, moment)
        self._present = present
        self._value_of = self._presented

    def _presented(self, row: tuple[Any, int]) -> ValueAndTimestamp[Any]:
        return ValueAndTimestamp(self._present(row[0]), row[1])
