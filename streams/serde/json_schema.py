"""JSON with a schema in a registry, in Confluent's wire format: the frame, then JSON text.

What is read is checked: against the type where there is one, else against the schema it was written with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from streams.errors import ConfigError
from streams.serde.avro_schema import SchemaTypeError
from streams.serde.declared import serde_for
from streams.serde.extras import extra
from streams.serde.framing import PAYLOAD_AT, head, schema_id_of
from streams.serde.reflection import describe_type, is_pydantic_model, plain_type
from streams.serde.registered import RegisteredSerde
from streams.serde.registry import SchemaReference, SchemaRegistry, SchemaText
from streams.serde.serde import Destination, Serde
from streams.serde.structured import Json
from streams.serde.unknown import Unknown

JSON_SCHEMA_FORM = "json schema"
Check = Callable[[Any], None]


def JsonSchema(
    type: Any = Any,
    *,
    schema: str | Mapping[str, Any] | None = None,
    references: tuple[SchemaReference, ...] = (),
    registry: SchemaRegistry | None = None,
) -> Serde:
    """JSON of a Struct, dataclass, TypedDict or pydantic model, or of anything that a schema describes.

    Args:
        type: what values are; default whatever JSON has.
        schema: of the type; default: made of the type by msgspec or pydantic, closed to fields it does not name.
            Values are checked against a schema that is given, also when they are written.
        references: schemas of a registry that `schema` uses by `$ref`.
        registry: default the application's (`schema_registry_url`).

    Raises:
        SchemaTypeError: the type has no JSON schema.
        ConfigError: jsonschema is not installed where it is needed, or the schema is none.
    """
    kind = Any if plain_type(type) is Unknown else plain_type(type)
    inner = Json(Any) if kind is Any else serde_for(kind, role="value")
    if inner.form not in ("json", "pydantic"):
        inner = Json(kind)
    given: Any = json.loads(schema) if isinstance(schema, str) else schema
    described = json_schema(kind) if given is None and kind is not Any else given
    name = f"JsonSchema({_title(described, kind)})"
    parts = _JsonSchema(inner, described, given is not None, references, registry, name)
    if given is not None and not references:
        parts.check_of(SchemaText("JSON", parts.text))
    return parts.unbound()


class _JsonSchema(RegisteredSerde):
    """The type's JSON serde, and checks by schemas."""

    def __init__(
        self,
        inner: Serde,
        schema: Any,
        checks: bool,
        references: tuple[SchemaReference, ...],
        registry: SchemaRegistry | None,
        name: str,
    ) -> None:
        text = "" if schema is None else json.dumps(schema)
        super().__init__(type=inner.type, name=name, form=JSON_SCHEMA_FORM, schema=text, registry=registry)
        self.inner = inner
        self.schema = schema
        self.checks = checks
        self.references = references

    def writer(self, registry: SchemaRegistry, destination: Destination) -> Callable[[Any], bytes]:
        write = self.inner.serialize
        begins = b""
        check: Check | None = None

        def serialize(value: Any) -> bytes:
            nonlocal begins, check
            if not begins:
                if self.schema is None:
                    raise ConfigError(f"{self.name} for {destination.topic} writes nothing without a type or schema=…")
                subject = registry.subject(destination, _title(self.schema, self.type))
                found = registry.to_write(subject, SchemaText("JSON", self.text, self.references))
                if self.checks or registry.use_latest_version:
                    check = self.check_of(found.schema, registry)
                begins = head(found.id)
            written = write(value)
            if check is not None:
                check(msgspec.json.decode(written))
            return begins + written

        return serialize

    def reader(self, registry: SchemaRegistry | None) -> Callable[[bytes], Any]:
        """Typed values are checked by their type's decoder; others by the schema with the record's id, once fetched."""
        read = self.inner.deserialize
        typed = plain_type(self.type) is not Unknown and not self.checks
        own = self.check_of(SchemaText("JSON", self.text, self.references), registry) if self.checks else None
        known: dict[int, Check] = {}

        def deserialize_typed(data: bytes) -> Any:
            schema_id_of(data)
            return read(data[PAYLOAD_AT:])

        def deserialize(data: bytes) -> Any:
            schema_id = schema_id_of(data)
            check = own or known.get(schema_id)
            if check is None:
                if registry is None:
                    raise ConfigError(
                        f"{self.name} has no schema registry: JsonSchema(…, registry=SchemaRegistry(url))"
                    )
                check = known[schema_id] = self.check_of(registry.by_id(schema_id), registry)
            check(msgspec.json.decode(data[PAYLOAD_AT:]))
            return read(data[PAYLOAD_AT:])

        return deserialize_typed if typed else deserialize

    def check_of(self, schema: SchemaText, registry: SchemaRegistry | None = None) -> Check:
        """A function that raises ValueError, with the path, for what the schema does not allow. Raises ConfigError for
        a text that is no schema."""
        validators = extra("jsonschema.validators", "json-schema", "a JSON schema")
        referencing = extra("referencing", "json-schema", "a JSON schema")
        text = json.loads(schema.text)
        kind = validators.validator_for(text)
        try:
            kind.check_schema(text)
        except Exception as error:
            raise ConfigError(f"{self.name}: the schema is no JSON schema: {error}") from error
        resources: list[tuple[str, Any]] = []
        _collect(registry, schema, referencing, resources)
        validator = kind(text, registry=referencing.Registry().with_resources(resources))

        def check(value: Any) -> None:
            for error in validator.iter_errors(value):
                raise ValueError(f"{error.message} - at `{error.json_path}`")

        return check


def _collect(
    registry: SchemaRegistry | None, schema: SchemaText, referencing: Any, found: list[tuple[str, Any]]
) -> None:
    for reference in schema.references:
        if registry is None:
            raise ConfigError(f"schema reference {reference.name} needs a schema registry")
        text = registry.version(reference)
        resource = referencing.Resource.from_contents(
            json.loads(text.text), default_specification=referencing.jsonschema.DRAFT7
        )
        found.append((reference.name, resource))
        _collect(registry, text, referencing, found)


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type, as its own definition at the top, closed to other fields. Raises SchemaTypeError."""
    try:
        schema = kind.model_json_schema(by_alias=True) if is_pydantic_model(kind) else _by_msgspec(kind)
    except (TypeError, NameError) as error:
        raise SchemaTypeError(f"{describe_type(kind)} has no JSON schema: {error}") from error
    definitions: dict[str, Any] = schema.pop("$defs", {})
    top = schema.pop("$ref", "").rpartition("/")[2]
    if top:
        schema |= definitions[top]
        if f'"#/$defs/{top}"' not in json.dumps(definitions):
            definitions = {name: each for name, each in definitions.items() if name != top}
    if definitions:
        schema["$defs"] = definitions
    _close(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _by_msgspec(kind: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def of_model(cls: Any) -> dict[str, Any]:
        if not is_pydantic_model(cls):
            raise NotImplementedError(f"{describe_type(cls)} is no type that JSON can hold")
        described = cls.model_json_schema(by_alias=True)
        found.update(described.pop("$defs", {}))
        return described

    schema = msgspec.json.schema(kind, schema_hook=of_model)
    if found:
        schema["$defs"] = {**schema.get("$defs", {}), **found}
    return schema


def _close(schema: Any) -> None:
    """Compatibility is decided field by field only where objects are closed: an open one already allows, under the name
    of a field that is to come, values of any type."""
    if isinstance(schema, list):
        for each in cast("list[Any]", schema):
            _close(each)
    elif isinstance(schema, dict):
        described = cast("dict[str, Any]", schema)
        if described.get("type") == "object" and isinstance(described.get("properties"), dict):
            described.setdefault("additionalProperties", False)
        for name, each in described.items():
            if name != "default":
                _close(each)


def _title(schema: Any, kind: Any) -> str:
    if isinstance(schema, Mapping) and "title" in schema:
        return str(cast("Mapping[str, Any]", schema)["title"])
    return describe_type(kind)
