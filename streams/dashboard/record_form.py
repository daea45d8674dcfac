"""A record as somebody types it: its parts become bytes by the serdes of the topic, and what is wrong is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from streams.cluster.new_record import NewRecord
from streams.dashboard.known_topics import KnownTopic
from streams.dashboard.record_view import JSON_FORMS
from streams.dashboard.writes import WrongField
from streams.query.keys import key_value, parse_time
from streams.query.problem import Problem
from streams.serde import Role, Serde

SINGLE_VALUES = frozenset({"string", "long", "integer", "short", "double", "float", "boolean", "bytes", "uuid"})
"""Forms of serdes whose values are written as themselves, not as JSON."""


class RecordForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key` and `value` None: null. `timestamp` as ms since the epoch or ISO 8601; None: now. `partition` None: by
    Kafka's murmur2 of the key."""

    key: str | None = None
    value: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    partition: int | None = None
    timestamp: str | int | None = None

    def record(self, topic: str, known: KnownTopic | None, partitions: int) -> NewRecord:
        """Raises WrongField."""
        if known is not None and known.internal:
            raise WrongField(
                "topic",
                f"{topic!r} is a {known.role} topic of this application, which alone writes it: state would be wrong "
                "for good. Produce to a topic that it reads",
            )
        if self.partition is not None and not 0 <= self.partition < partitions:
            raise WrongField("partition", f"topic {topic!r} has the partitions 0 to {partitions - 1}")
        for name, _ in self.headers:
            if not name:
                raise WrongField("headers", "a header needs a name")
        return NewRecord(
            key=None if self.key is None else written(self.key, None if known is None else known.key, "key"),
            value=None if self.value is None else written(self.value, None if known is None else known.value, "value"),
            headers=tuple((name, None if value is None else value.encode()) for name, value in self.headers),
            partition=self.partition,
            timestamp=self._time(),
        )

    def _time(self) -> int | None:
        if self.timestamp in (None, ""):
            return None
        try:
            time = parse_time(str(self.timestamp), "timestamp")
        except Problem as error:
            raise WrongField("timestamp", str(error)) from error
        if time is None or time < 0:
            raise WrongField("timestamp", f"{self.timestamp!r} is before 1970, and records have no such times")
        return time


def written(text: str, serde: Serde | None, role: Role) -> bytes:
    """The bytes that `text` stands for; without a serde those of the text. JSON goes out as it was typed, once the type
    has taken it: fields that the type does not declare are kept. Raises WrongField."""
    if serde is None:
        return text.encode()
    try:
        if serde.form in JSON_FORMS:
            data = text.encode()
            serde.deserialize(data)
            return data
        if serde.form in SINGLE_VALUES:
            return serde.serialize(key_value(text, serde.type))
        decoded: Any = msgspec.json.decode(text.encode())
        return serde.serialize(converted(decoded, serde.type))
    except Exception as error:  # a serde raises whatever its library does
        raise WrongField(role, f"the {role} is not {serde.name}: {error}") from error


def converted(decoded: Any, type_: Any) -> Any:
    """JSON as a value of a type; left as it is where msgspec does not know the type."""
    try:
        return msgspec.convert(decoded, type_)
    except TypeError:
        return decoded


def example(serde: Serde | None) -> str:
    """What a form can begin with: JSON with the fields of the type, each with a value of its type."""
    if serde is None or serde.form in SINGLE_VALUES:
        return ""
    try:
        schema = msgspec.json.schema(serde.type)
    except TypeError:
        return ""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    return msgspec.json.format(msgspec.json.encode(sample(schema, definitions, 0)), indent=2).decode()


def sample(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    """A value that fits a JSON schema as msgspec makes them; null below the sixth level."""
    if depth > 6:
        return None
    if "$ref" in schema:
        return sample(definitions[schema["$ref"].rpartition("/")[2]], definitions, depth + 1)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], definitions, depth + 1)
    for chosen in ("default", "const"):
        if chosen in schema:
            return schema[chosen]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields: Mapping[str, Any] = schema.get("properties", {})
            return {name: sample(each, definitions, depth + 1) for name, each in fields.items()}
        case "array":
            return []
        case "string":
            return "2026-01-31T12:00:00Z" if schema.get("format") == "date-time" else ""
        case "integer":
            return schema.get("minimum", 0)
        case "number":
            return schema.get("minimum", 0.0)
        case "boolean":
            return False
        case _:
            return None
