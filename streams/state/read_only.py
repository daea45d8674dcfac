"""What processors see of a store that somebody else fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin

from msgspec.structs import replace

from streams.state.declaration import StoreDeclaration
from streams.state.key_value import KeyValueStore, ReadOnlyKeyValueStore
from streams.state.table import KINDS, table_store
from streams.state.window import ReadOnlyWindowStore, WindowStore

PLAIN: Mapping[Any, Any] = {KeyValueStore: ReadOnlyKeyValueStore, WindowStore: ReadOnlyWindowStore}
"""Stores without timestamps -> the part of them that reads."""


def global_store(declaration: StoreDeclaration[Any]) -> StoreDeclaration[Any]:
    """The store as every processor has it: to be read, not written. A custom store is given as it is: what only reads
    in it, nobody but its author knows. Source: `AbstractReadOnlyDecorator`."""
    reader = PLAIN.get(get_origin(declaration.open_as) or declaration.open_as)
    if reader is not None:
        return replace(declaration, open_as=reader, everywhere=True)
    if declaration.spec.kind in KINDS:
        return table_store(declaration.spec, declaration.key, declaration.value, None, read_only=True, everywhere=True)
    return replace(declaration, everywhere=True)
