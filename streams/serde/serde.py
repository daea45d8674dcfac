"""A serde: how a key or a value becomes bytes and comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Serde:
    """How a key or value of `type` is written and read. Null (None) never reaches a serde.

    Attributes:
        serialize: value -> bytes. Raises whatever its library raises; the caller names the record.
        deserialize: bytes -> a value of `type`. Likewise.
        type: the Python type that `deserialize` gives, `typing.Any` if it may be anything.
        name: what messages and generated code call it, such as `Json(Flight)`.
        self_contained: the bytes are enough to read the value, wherever they are copied to. False where they point
            into something else, such as a schema registry with schemas per topic.
        form: what two serdes must share, besides `type`, to write the same bytes; None if only their functions tell.
    """

    serialize: Callable[[Any], bytes]
    deserialize: Callable[[bytes], Any]
    type: Any = Any
    name: str = "Serde"
    self_contained: bool = True
    form: str | None = None

    def __eq__(self, other: object) -> bool:
        """Whether bytes of the one are bytes of the other, as far as that can be known."""
        if not isinstance(other, Serde):
            return NotImplemented
        if self is other:
            return True
        if self.form is None or other.form is None:
            return self.serialize == other.serialize and self.deserialize == other.deserialize
        return self.form == other.form and self.type == other.type

    def __hash__(self) -> int:
        return hash((self.form, self.name))

    def __repr__(self) -> str:
        return self.name
