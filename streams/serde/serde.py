"""A serde: how a key or a value becomes bytes and comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from streams.serde.registry import SchemaRegistry

Role = Literal["key", "value"]


class Destination(Struct, frozen=True):
    """Where bytes are for. Source: Kafka's `Serializer.serialize(topic, …)` and `configure(configs, isKey)`.

    `registry` is the application's schema registry, None where it names none.
    """

    topic: str
    role: Role
    registry: SchemaRegistry | None = None


class Serde(Struct, frozen=True, kw_only=True, eq=False):
    """How a key or value of `type` is written and read. Null (None) never reaches a serde.

    Attributes:
        serialize: value -> bytes. Raises whatever its library raises; the caller names the record.
        deserialize: bytes -> a value of `type`. Likewise.
        type: the Python type that `deserialize` gives, `typing.Any` if it may be anything.
        name: what messages and generated code call it, such as `Json(Flight)`.
        form: what two serdes must share, besides `type`, to write the same bytes; None if only their functions tell.
        schema: the same for what lies outside of the bytes, such as a schema and where it is registered. A new
            version of an application may have another one and still read what is written.
        bind: makes the serde that writes for one topic, where that makes a difference: its schemas are registered
            under the topic's name. None: it writes the same bytes for every topic.
        window_bytes: how many bytes at the end of a key are those of its window, which have no say in the partition.
    """

    serialize: Callable[[Any], bytes]
    deserialize: Callable[[bytes], Any]
    type: Any = Any
    name: str = "Serde"
    form: str | None = None
    schema: object = None
    bind: Callable[[Destination], Serde] | None = None
    window_bytes: int = 0

    def bound(self, destination: Destination) -> Serde:
        """The serde for that topic and part of its records: often this one. What was bound before stays with its
        registry where the destination names none."""
        return self if self.bind is None else self.bind(destination)

    def __eq__(self, other: object) -> bool:
        """Whether bytes of the one are bytes of the other, as far as that can be known."""
        if not isinstance(other, Serde):
            return NotImplemented
        if self is other:
            return True
        if self.form is None or other.form is None:
            return self.serialize == other.serialize and self.deserialize == other.deserialize
        return self.form == other.form and self.type == other.type and self.schema == other.schema

    def __ne__(self, other: object) -> bool:
        """Said by itself: a msgspec struct without an `__eq__` of its making answers `!=` by identity."""
        return not self == other

    def __hash__(self) -> int:
        return hash((self.form, self.name))

    def __repr__(self) -> str:
        return self.name
