"""Protobuf schemas: the messages and fields of a .proto file, and whether one file's messages are read with another's.

A text is a .proto file, or a compiled file descriptor in base64, as Confluent's clients that are not Java register it.
What is compared is what the wire and the generated code depend on; options, services, extensions, custom defaults and
files that are imported are not looked into: a type of another file is compared by its name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from broker.registry.proto_text import parse_proto_text

INTERCHANGEABLE = (
    frozenset(("int32", "uint32", "int64", "uint64", "bool", "enum")),
    frozenset(("sint32", "sint64")),
    frozenset(("string", "bytes")),
    frozenset(("fixed32", "sfixed32")),
    frozenset(("fixed64", "sfixed64")),
)
"""Types that are read as one another, though large numbers may be cut off. Source: Protobuf's "Updating A Message
Type"."""


@dataclass(frozen=True, slots=True)
class ProtoField:
    """`type`: a scalar's name, "enum", or the full name of a message, with a leading dot. `label`: optional, required
    or repeated. `oneof`: the name of the group of which one is set, or ""."""

    name: str
    type: str
    label: str = "optional"
    oneof: str = ""


@dataclass(slots=True)
class ProtoFile:
    """Messages by their names without the package, nested ones with dots; fields by their numbers."""

    package: str = ""
    messages: dict[str, dict[int, ProtoField]] = field(default_factory=dict[str, dict[int, ProtoField]])


def parse_protobuf(text: str, references: Mapping[str, str]) -> ProtoFile:
    """The file of a text. `references` are files it imports, which are not needed. Raises ValueError."""
    try:
        descriptor = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return parse_proto_text(text)
    from broker.registry.proto_descriptor import parse_descriptor

    return parse_descriptor(descriptor)


def unreadable_protobuf(reader: ProtoFile, writer: ProtoFile) -> list[str]:
    """Why messages of `writer` are not read as those of `reader`; empty: they are."""
    return list(_unreadable(reader, writer))


def _unreadable(reader: ProtoFile, writer: ProtoFile) -> Iterator[str]:
    if reader.package != writer.package:
        yield f"package {writer.package!r} became {reader.package!r}"
        return
    for name, written in writer.messages.items():
        wanted = reader.messages.get(name)
        if wanted is None:
            yield f"message {name} was removed"
            continue
        for number in sorted({*written, *wanted}):
            old, new = written.get(number), wanted.get(number)
            if old is None and new is not None and new.label == "required":
                yield f"{name}.{new.name} ({number}) is required now"
            elif new is None and old is not None and old.label == "required":
                yield f"{name}.{old.name} ({number}) was required and was removed"
            elif new is None and old is not None and old.oneof and _keeps_oneof(wanted, old.oneof):
                yield f"{name}.{old.name} ({number}) was removed from oneof {old.oneof}"
            elif old is not None and new is not None:
                yield from _changed(f"{name}.{new.name} ({number})", old, new)
        for group in sorted({one.oneof for one in wanted.values() if one.oneof}):
            moved = [
                number
                for number, one in wanted.items()
                if one.oneof == group and number in written and not written[number].oneof
            ]
            if len(moved) > 1:
                yield f"{name}: fields {moved} could be set together and are of one oneof {group} now"


def _keeps_oneof(fields: Mapping[int, ProtoField], group: str) -> bool:
    return any(one.oneof == group for one in fields.values())


def _changed(what: str, old: ProtoField, new: ProtoField) -> Iterator[str]:
    if old.type != new.type and not any(old.type in kinds and new.type in kinds for kinds in INTERCHANGEABLE):
        yield f"{what}: type {old.type} became {new.type}"
    if old.label != new.label:
        if "required" in (old.label, new.label):
            yield f"{what}: {old.label} became {new.label}"
        elif old.type not in ("string", "bytes") and not old.type.startswith("."):
            yield f"{what}: {old.label} became {new.label}, and numbers are written otherwise then"
