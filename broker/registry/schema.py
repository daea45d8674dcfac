"""Schemas as they are registered."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Literal

SchemaType = Literal["AVRO", "JSON", "PROTOBUF"]
TYPES: tuple[SchemaType, ...] = ("JSON", "PROTOBUF", "AVRO")


@dataclass(frozen=True, slots=True)
class Reference:
    """A schema that another one uses: `name` is how its text calls it."""

    name: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class Schema:
    """Equal schemas have one id. `text` has no insignificant white space where its type is written in JSON."""

    type: SchemaType
    text: str
    references: tuple[Reference, ...] = ()

    @property
    def guid(self) -> str:
        """The same for equal schemas of any registry of this kind."""
        content = "\n".join(
            (self.type, self.text, *(f"{one.name} {one.subject} {one.version}" for one in self.references))
        )
        return str(uuid.UUID(bytes=hashlib.md5(content.encode(), usedforsecurity=False).digest()))


@dataclass(frozen=True, slots=True)
class Version:
    """A schema under a subject. Deleted ones can be read by their id still, until they are deleted permanently."""

    subject: str
    number: int
    id: int
    schema: Schema
    deleted: bool = False
