"""Protobuf messages, in Confluent's wire format or plain.

Schemas are registered as their compiled descriptors in base64, and the files they import, Google's own left out, under
the files' names: as Confluent's Python and other non-Java clients do.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from streams.errors import ConfigError
from streams.serde.avro import WireFormat
from streams.serde.extras import extra
from streams.serde.framing import PAYLOAD_AT, FrameError, head, message_indexes, read_message_indexes, schema_id_of
from streams.serde.registered import RegisteredSerde
from streams.serde.registry import SchemaReference, SchemaRegistry, SchemaText
from streams.serde.serde import Destination, Serde

PROTOBUF_FORM = "protobuf"
KNOWN_EVERYWHERE = ("google/protobuf/", "google/type/", "confluent/")


def Protobuf(message: Any, *, registry: SchemaRegistry | None = None, wire_format: WireFormat = "confluent") -> Serde:
    """Messages of a class that protoc made (`orders_pb2.Order`).

    Args:
        message: the class.
        registry: default the application's (`schema_registry_url`).
        wire_format: `confluent` begins with the id of the schema in the registry and the message type's place in its
            file; `plain` is the message alone.

    A message of another type is refused when it is read, as far as the registry tells the schema's descriptor.

    Raises:
        ConfigError: protobuf is not installed, or `message` is no message class.
    """
    extra("google.protobuf", "protobuf", "Protobuf")
    if not hasattr(message, "DESCRIPTOR") or not hasattr(message, "FromString"):
        raise ConfigError(f"Protobuf({message!r}): give the message class that protoc made, such as orders_pb2.Order")
    parts = _Protobuf(message, registry)
    return parts.plain() if wire_format == "plain" else parts.unbound()


class _Protobuf(RegisteredSerde):
    """Schemas are told apart by the message type's full name."""

    def __init__(self, message: Any, registry: SchemaRegistry | None) -> None:
        self.message = message
        self.descriptor = message.DESCRIPTOR
        self.full_name = str(self.descriptor.full_name)
        name = f"Protobuf({self.full_name})"
        super().__init__(type=message, name=name, form=PROTOBUF_FORM, schema=self.full_name, registry=registry)

    def plain(self) -> Serde:
        return Serde(
            serialize=self.written,
            deserialize=self.parsed,
            type=self.message,
            name=self.name,
            form="plain protobuf",
            schema=self.full_name,
        )

    def written(self, value: Any) -> bytes:
        """Maps in the order of their keys: equal messages have equal bytes, as keys need."""
        if not isinstance(value, self.message):
            raise TypeError(f"a {self.full_name} is written here, not a {type(value).__qualname__}")
        return value.SerializeToString(deterministic=True)

    def parsed(self, data: bytes) -> Any:
        try:
            return self.message.FromString(data)
        except Exception as error:  # DecodeError of whichever implementation is at work
            raise ValueError(f"the bytes are no {self.full_name}: {error}") from error

    def writer(self, registry: SchemaRegistry, destination: Destination) -> Callable[[Any], bytes]:
        written = self.written
        begins = b""

        def serialize(value: Any) -> bytes:
            nonlocal begins
            if not begins:
                file = self.descriptor.file
                subject = registry.subject(destination, self.full_name)
                found = registry.to_write(subject, _schema_of(file, registry))
                begins = head(found.id) + message_indexes(tuple(_path(self.descriptor)))
            return begins + written(value)

        return serialize

    def reader(self, registry: SchemaRegistry | None) -> Callable[[bytes], Any]:
        """Looks at what a record begins with once for each such beginning."""
        known: dict[bytes, int] = {}  # id and first byte of the indexes -> where the payload begins
        checked: set[tuple[int, tuple[int, ...]]] = set()
        parsed = self.parsed

        def begin(data: bytes) -> int:
            schema_id = schema_id_of(data)
            path, position = read_message_indexes(data)
            if (schema_id, path) not in checked:
                told = None if registry is None else _message_name(registry, schema_id, path)
                if told is not None and told != self.full_name:
                    raise ValueError(f"the record is a {told}, and a {self.full_name} is read here")
                checked.add((schema_id, path))
            if position == PAYLOAD_AT + 1:
                known[data[:position]] = position
            return position

        def deserialize(data: bytes) -> Any:
            return parsed(data[known.get(data[: PAYLOAD_AT + 1]) or begin(data) :])

        return deserialize


def _schema_of(file: Any, registry: SchemaRegistry) -> SchemaText:
    """A file's schema, after the files it imports are registered or found under their names."""
    references: list[SchemaReference] = []
    for imported in file.dependencies:
        name = str(imported.name)
        if not name.startswith(KNOWN_EVERYWHERE):
            schema = _schema_of(imported, registry)
            registry.to_write(name, schema)
            references.append(SchemaReference(name, name, registry.version_of(name, schema)))
    return SchemaText("PROTOBUF", base64.b64encode(file.serialized_pb).decode(), tuple(references))


def _path(descriptor: Any) -> Iterator[int]:
    """The indexes from a file to a message type."""
    parent = descriptor.containing_type
    if parent is None:
        siblings = list(descriptor.file.message_types_by_name.values())
    else:
        yield from _path(parent)
        siblings = list(parent.nested_types)
    yield [sibling.full_name for sibling in siblings].index(descriptor.full_name)


def _message_name(registry: SchemaRegistry, schema_id: int, path: tuple[int, ...]) -> str | None:
    """The full name of the message type that a record says it is; None where the registry has no descriptor of it.

    Raises:
        FrameError: the schema has no such message type.
    """
    schema = registry.by_id(schema_id, form="serialized")
    if schema.kind != "PROTOBUF":
        raise FrameError(f"schema {schema_id} is {schema.kind}, not PROTOBUF")
    library = extra("google.protobuf.descriptor_pb2", "protobuf", "Protobuf")
    try:
        file = library.FileDescriptorProto.FromString(base64.b64decode(schema.text, validate=True))
    except Exception:  # the text of a .proto file
        return None
    names = [file.package] if file.package else []
    types = file.message_type
    for index in path:
        if index >= len(types):
            raise FrameError(f"schema {schema_id} has no message type at {'.'.join(map(str, path))}")
        names.append(types[index].name)
        types = types[index].nested_type
    return ".".join(names)
