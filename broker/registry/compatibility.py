"""What a new version of a subject has to have in common with the earlier ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from broker.registry.avro import parse_avro, unreadable_avro
from broker.registry.errors import invalid_schema
from broker.registry.json_schema import parse_json_schema, unreadable_json
from broker.registry.protobuf import parse_protobuf, unreadable_protobuf
from broker.registry.schema import SchemaType

LEVELS = ("NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE")
DEFAULT_LEVEL = "BACKWARD"

Parsed = Any


def parse(kind: SchemaType, text: str, references: Sequence[tuple[str, str]]) -> Parsed:
    """The schema of a text; `references`: names and texts of others that it uses, used ones before their users.

    Raises:
        RegistryError: it is no such schema (42201).
    """
    try:
        if kind == "AVRO":
            return parse_avro(text, [each for _, each in references])
        if kind == "JSON":
            return parse_json_schema(text, dict(references))
        return parse_protobuf(text, dict(references))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise invalid_schema(f"{error} (type {kind}): {text[:200]}") from error


def normal_text(kind: SchemaType, text: str, *, sort: bool) -> str:
    """The text by which schemas are equal: JSON without insignificant white space, `sort` also without order."""
    if kind == "PROTOBUF":
        return text.strip()
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), sort_keys=sort, ensure_ascii=False)
    except ValueError:
        return json.dumps(text.strip()) if kind == "AVRO" else text


def incompatibilities(
    level: str, kind: SchemaType, new: Parsed, earlier: Sequence[tuple[SchemaType, Parsed]]
) -> list[str]:
    """Why `new` may not follow the `earlier` schemas, oldest first; empty: it may."""
    if level == "NONE" or not earlier:
        return []
    unreadable: Callable[[Any, Any], list[str]] = {
        "AVRO": unreadable_avro,
        "JSON": unreadable_json,
        "PROTOBUF": unreadable_protobuf,
    }[kind]
    problems: list[str] = []
    for old_kind, old in earlier if level.endswith("_TRANSITIVE") else earlier[-1:]:
        if old_kind != kind:
            return [f"a subject that has {old_kind} schemas takes no {kind} schema"]
        if level.startswith(("BACKWARD", "FULL")):
            problems += [f"the new schema cannot read what the old one wrote: {each}" for each in unreadable(new, old)]
        if level.startswith(("FORWARD", "FULL")):
            problems += [f"the old schema cannot read what the new one writes: {each}" for each in unreadable(old, new)]
    return list(dict.fromkeys(problems))
