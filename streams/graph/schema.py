"""What is known, while a topology is declared, of the records that flow between two operators."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from streams.serde import Role, Serde, Unknown, serde_for


class Part(Struct, frozen=True):
    """A record's key or value: its Python type, and how it is written if that was said.

    `type` is `Unknown` behind a function whose result cannot be told. `serde` is None where nobody named one;
    `key_serde` and `value_serde` say what is used then.
    """

    type: Any = Unknown
    serde: Serde | None = None


class Schema(Struct, frozen=True):
    """Key and value of the records an operator forwards."""

    key: Part = Part()
    value: Part = Part()

    def with_key(self, key: Part) -> Schema:
        return Schema(key, self.value)

    def with_value(self, value: Part) -> Schema:
        return Schema(self.key, value)

    def key_serde(self) -> Serde:
        """The serde of the key: as declared, else by its type, else strings (an unknown key must be a `str`)."""
        if self.key.serde is not None:
            return self.key.serde
        return serde_for(str if self.key.type is Unknown else self.key.type, role="key")

    def value_serde(self) -> Serde:
        """The serde of the value: as declared, else by its type, else JSON of whatever comes."""
        if self.value.serde is not None:
            return self.value.serde
        return serde_for(Any if self.value.type is Unknown else self.value.type, role="value")

    def common(self, other: Schema) -> Schema:
        """What is known of the records of both: key and value, where they are of one type and written in one way,
        whether that was said of them or follows from the type."""
        keys = self.key == other.key or (
            self.key.type == other.key.type and self.key_serde().name == other.key_serde().name
        )
        values = self.value == other.value or (
            self.value.type == other.value.type and self.value_serde().name == other.value_serde().name
        )
        return Schema(self.key if keys else Part(), self.value if values else Part())


def declared(kind: Any, role: Role) -> Part:
    """The part that a user's `key=` or `value=` describes: a type or a `Serde`.

    Raises:
        TopologyError: no serde fits the type.
    """
    serde = serde_for(kind, role=role)
    return Part(serde.type, serde)
