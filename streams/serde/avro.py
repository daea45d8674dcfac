"""Avro by fastavro, in Confluent's wire format or plain.

Records are written with the schema of their type and read with the one they were written with, resolved to the type's
own: fields may have been added, left out, reordered, promoted or renamed by alias, as Avro's specification says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Literal

from streams.errors import ConfigError
from streams.serde.avro_schema import avro_schema, plain_value, record_name, value_reader
from streams.serde.extras import extra
from streams.serde.framing import PAYLOAD_AT, head, schema_id_of
from streams.serde.reflection import describe_type, plain_type
from streams.serde.registered import RegisteredSerde
from streams.serde.registry import SchemaReference, SchemaRegistry, SchemaText
from streams.serde.serde import Destination, Serde
from streams.serde.unknown import Unknown

WireFormat = Literal["confluent", "plain"]
AVRO_FORM = "avro"


def Avro(
    type: Any = Any,
    *,
    schema: str | Mapping[str, Any] | None = None,
    references: tuple[SchemaReference, ...] = (),
    name: str | None = None,
    namespace: str | None = None,
    registry: SchemaRegistry | None = None,
    wire_format: WireFormat = "confluent",
) -> Serde:
    """Avro of a Struct, dataclass, TypedDict or pydantic model, or of dicts.

    Args:
        type: what values are; default dicts and whatever else Avro has.
        schema: of the type, as Avro's JSON; default: made of the type (see `streams.serde.avro_schema`). Without type
            and schema, values are read with the schema they were written with, and cannot be written.
        references: schemas of a registry that `schema` uses by name.
        name, namespace: of the record, and of all names, in a schema that is made of the type; default the class's name
            and none. Schemas are only resolved to one of the same name.
        registry: default the application's (`schema_registry_url`).
        wire_format: `confluent` begins with the id of the schema in the registry; `plain` is the value alone, written
            and read with the same schema.

    Raises:
        SchemaTypeError: a part of the type has no Avro schema; the message has its path.
        ConfigError: fastavro is not installed, or the schema is none.
    """
    library = extra("fastavro", "avro", "Avro")
    kind = Any if plain_type(type) is Unknown else plain_type(type)
    given: Any = json.loads(schema) if isinstance(schema, str) else schema
    if given is None and kind is not Any:
        given = avro_schema(kind, namespace=namespace, name=name)
    called = f"Avro({record_name(given) if kind is Any and given is not None else describe_type(kind)})"
    if given is None and wire_format == "plain":
        raise ConfigError("plain Avro does not tell its schema: Avro(type, wire_format='plain') or schema=…")
    if given is not None and not references:
        try:
            library.parse_schema(json.loads(json.dumps(given)))
        except Exception as error:  # a schema of the user's, and errors of several libraries' making
            raise ConfigError(f"{called}: the schema is not valid Avro: {error}") from error
    parts = _Avro(kind, given, references, registry, called)
    return parts.plain() if wire_format == "plain" else parts.unbound()


class _Avro(RegisteredSerde):
    """Readers are kept by schema id."""

    def __init__(
        self,
        kind: Any,
        schema: Any,
        references: tuple[SchemaReference, ...],
        registry: SchemaRegistry | None,
        name: str,
    ) -> None:
        text = "" if schema is None else json.dumps(schema)
        super().__init__(type=kind, name=name, form=AVRO_FORM, schema=text, registry=registry)
        self.schema = schema
        self.references = references
        self.prepare: Callable[[Any], Any] | None = None if kind is Any else plain_value
        self.value_of = value_reader(kind)

    def plain(self) -> Serde:
        library = extra("fastavro", "avro", "Avro")
        parsed = library.parse_schema(json.loads(self.text))
        write, prepare, read, value_of = (
            library.schemaless_writer,
            self.prepare,
            library.schemaless_reader,
            self.value_of,
        )

        def serialize(value: Any) -> bytes:
            out = BytesIO()
            write(out, parsed, value if prepare is None else prepare(value))
            return out.getvalue()

        def deserialize(data: bytes) -> Any:
            stream = BytesIO(data)
            value = _read(read, stream, parsed, None)
            if stream.tell() != len(data):
                raise ValueError(f"{len(data) - stream.tell()} bytes are left behind the value: it has another schema")
            return value_of(value)

        return Serde(
            serialize=serialize,
            deserialize=deserialize,
            type=self.type,
            name=self.name,
            form="plain avro",
            schema=self.text,
        )

    # -- writing ----------------------------------------------------------------------------------------------------
    def writer(self, registry: SchemaRegistry, destination: Destination) -> Callable[[Any], bytes]:
        library = extra("fastavro", "avro", "Avro")
        write, prepare = library.schemaless_writer, self.prepare
        begins = b""
        parsed: Any = None

        def serialize(value: Any) -> bytes:
            nonlocal begins, parsed
            if not begins:
                if self.schema is None:
                    raise ConfigError(f"{self.name} for {destination.topic} writes nothing without a type or schema=…")
                subject = registry.subject(destination, record_name(self.schema))
                found = registry.to_write(subject, SchemaText("AVRO", self.text, self.references))
                parsed = parse(registry, found.schema)
                begins = head(found.id)
            out = BytesIO()
            out.write(begins)
            write(out, parsed, value if prepare is None else prepare(value))
            return out.getvalue()

        return serialize

    # -- reading ----------------------------------------------------------------------------------------------------
    def reader(self, registry: SchemaRegistry | None) -> Callable[[bytes], Any]:
        if registry is None:
            return self._unread
        library = extra("fastavro", "avro", "Avro")
        read, value_of = library.schemaless_reader, self.value_of
        schemas: dict[int, tuple[Any, Any]] = {}  # id -> (writer's schema, reader's or None where they are the same)
        own: Any = None

        def schemas_of(schema_id: int) -> tuple[Any, Any]:
            nonlocal own
            if own is None and self.schema is not None:
                own = parse(registry, SchemaText("AVRO", self.text, self.references))
            written = parse(registry, registry.by_id(schema_id))
            pair = schemas[schema_id] = (written, None if _canonical(written) == _canonical(own) else own)
            return pair

        def deserialize(data: bytes) -> Any:
            schema_id = schema_id_of(data)
            writers, readers = schemas.get(schema_id) or schemas_of(schema_id)
            stream = BytesIO(data)
            stream.seek(PAYLOAD_AT)
            return value_of(_read(read, stream, writers, readers))

        return deserialize

    def _unread(self, data: bytes) -> Any:
        raise ConfigError(f"{self.name} has no schema registry: Avro(…, registry=SchemaRegistry(url))")


def parse(registry: SchemaRegistry, schema: SchemaText) -> Any:
    """fastavro's form of a schema and all that it refers to. Raises SchemaRegistryError, and ValueError for text that
    is no Avro schema."""
    known: dict[str, Any] = {}
    _load_references(registry, schema, known)
    return _parsed(schema.text, known)


def _load_references(registry: SchemaRegistry, schema: SchemaText, known: dict[str, Any]) -> None:
    for reference in schema.references:
        found = registry.version(reference)
        _load_references(registry, found, known)
        if reference.name not in known:
            _parsed(found.text, known)


def _parsed(text: str, known: dict[str, Any]) -> Any:
    library = extra("fastavro", "avro", "Avro")
    try:
        return library.parse_schema(json.loads(text), named_schemas=known)
    except Exception as error:
        raise ValueError(f"the registry's schema is not valid Avro: {error}") from error


def _canonical(parsed: Any) -> Any:
    """What two schemas share that need no resolution."""
    return json.dumps(parsed, sort_keys=True, default=str)


def _read(read: Callable[..., Any], stream: BytesIO, writers: Any, readers: Any) -> Any:
    try:
        return read(stream, writers, readers)
    except (EOFError, IndexError, StopIteration) as error:
        raise ValueError("the bytes end before the Avro value does") from error
    except Exception as error:
        if readers is None or type(error).__name__ != "SchemaResolutionError":
            raise
        names = f"{record_name(writers)} cannot be read as {record_name(readers)}"
        raise ValueError(f"by the rules of Avro {names}: {str(error)[:300]}") from error
