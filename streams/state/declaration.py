"""A store as it is declared: what it is called, how it is kept, and what processors see of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct, field

from stores import StoreSpec
from streams.serde import Serde

S = TypeVar("S", covariant=True)


class Moment(Protocol):
    """What a store asks about the processor that writes to it."""

    @property
    def timestamp(self) -> int:
        """Of the record being processed or the punctuation, ms."""
        ...


class StoreDeclaration(Struct, Generic[S], frozen=True, eq=False):
    """Made by `Stores`. Processors that name it, or its name, in `stores=` share it with all others of their task.

    `spec` is how rows are kept; `key` and `value` how they are written; `open_as` makes what `context.store` gives, of
    the task's store and the processor that asks.
    """

    spec: StoreSpec
    key: Serde
    value: Serde
    open_as: Callable[[Any, StoreDeclaration[Any], Moment], S]
    everywhere: bool = False
    """A global store: each processor has it, named or not."""
    window_end: Callable[[int], int] | None = None
    """Tells a window's end from its start, both in ms, where the store's size does not."""
    changelog: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings of its changelog topic."""

    @property
    def name(self) -> str:
        return self.spec.name

    def __repr__(self) -> str:
        return f"StoreDeclaration({type(self.spec).__name__} {self.name!r})"

    def open(self, store: Any, moment: Moment) -> S:
        return self.open_as(store, self, moment)
