"""JSON schemas: is what one allows all allowed by another.

The answer is on the safe side: what cannot be told (`not`, `if`, changed patterns) is not allowed unless it is the same
in both. Two readings are Confluent's: a property that becomes required and has a default may have been left out, and
`format` and `default` alone restrict nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

Node = Any
"""A schema within a schema: an object, or true or false."""

ANNOTATIONS = {
    "$schema", "$id", "id", "$comment", "title", "description", "default", "examples", "format", "readOnly",
    "writeOnly", "deprecated", "definitions", "$defs", "$anchor", "contentEncoding", "contentMediaType",
}  # fmt: skip
COMPARED = {
    "type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "items",
    "prefixItems", "additionalItems", "anyOf", "oneOf", "allOf", "$ref", "uniqueItems",
    "maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties",
    "minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties", "multipleOf",
}  # fmt: skip
UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
ALL_TYPES = frozenset(("null", "boolean", "object", "array", "number", "string"))


@dataclass(frozen=True, slots=True, eq=False)
class JsonDocument:
    """A schema, and those it refers to by name."""

    root: Node
    references: Mapping[str, Node]

    def resolved(self, node: Node) -> Node:
        """What `$ref` stands for, with what is beside it. Raises ValueError."""
        for _ in range(100):
            if not isinstance(node, dict) or "$ref" not in node:
                return cast("Node", node)
            described = cast("dict[str, Any]", node)
            beside = {name: each for name, each in described.items() if name not in ANNOTATIONS and name != "$ref"}
            target = self._at(str(described["$ref"]))
            node = {"allOf": [target, beside]} if beside else target
        raise ValueError("a $ref leads to itself")

    def _at(self, reference: str) -> Node:
        name, _, pointer = reference.partition("#")
        if name and name not in self.references:
            raise ValueError(f"$ref {reference!r} is no reference of the schema")
        at: Any = self.references[name] if name else self.root
        for part in pointer.split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            try:
                at = at[int(part)] if at.__class__ is list else at[part]
            except (LookupError, TypeError, ValueError) as error:
                raise ValueError(f"$ref {reference!r} leads nowhere") from error
        return at


def parse_json_schema(text: str, references: Mapping[str, str]) -> JsonDocument:
    """The schema of a text. Raises ValueError."""
    document = JsonDocument(json.loads(text), {name: json.loads(each) for name, each in references.items()})
    _check(document, document.root, "#", set())
    return document


def _check(document: JsonDocument, node: Node, path: str, seen: set[int]) -> None:
    """Raises ValueError for what is no schema: keywords of the wrong kind, references that lead nowhere."""
    if isinstance(node, bool):
        return
    if not isinstance(node, dict):
        raise ValueError(f"{path} is neither an object nor a boolean")
    if id(node) in seen:  # pyright: ignore[reportUnknownArgumentType]
        return
    described = cast("dict[str, Any]", node)
    seen.add(id(described))
    kinds = described.get("type", [])
    for kind in cast("list[Any]", kinds) if isinstance(kinds, list) else [kinds]:
        if kind not in ALL_TYPES and kind != "integer":
            raise ValueError(f"{path}/type: {kind!r} is no type")
    if not isinstance(described.get("required", []), list) and path:
        raise ValueError(f"{path}/required is no list")
    if "$ref" in described:
        document.resolved(described)
    for name in ("properties", "patternProperties", "definitions", "$defs"):
        each = described.get(name, {})
        if not isinstance(each, dict):
            raise ValueError(f"{path}/{name} is no object")
        for inner, schema in cast("dict[str, Any]", each).items():
            _check(document, schema, f"{path}/{name}/{inner}", seen)
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        branches = described.get(name, [])
        if not isinstance(branches, list):
            raise ValueError(f"{path}/{name} is no list")
        for index, schema in enumerate(cast("list[Any]", branches)):
            _check(document, schema, f"{path}/{name}/{index}", seen)
    for name in ("additionalProperties", "not", "additionalItems"):
        if name in described:
            _check(document, described[name], f"{path}/{name}", seen)
    if "items" in described and not isinstance(described["items"], list):
        _check(document, described["items"], f"{path}/items", seen)


def unreadable_json(reader: JsonDocument, writer: JsonDocument) -> list[str]:
    """Where `writer` allows what `reader` does not; empty: nowhere."""
    return list(_Comparison(reader, writer, set()).problems(reader.root, writer.root, "#"))


@dataclass(slots=True)
class _Comparison:
    reader: JsonDocument
    writer: JsonDocument
    seen: set[tuple[str, str]]
    """Pairs that are being compared further up: a recursive schema fits unless something in it shows otherwise."""

    def problems(self, new: Node, old: Node, path: str) -> Iterator[str]:
        new, old = self.reader.resolved(new), self.writer.resolved(old)
        if old is False or new is True or new == {}:
            return
        if new is False:
            yield f"{path}: nothing is allowed any more"
            return
        wanted, given = _described(new), _described(old)
        pair = (json.dumps(wanted, sort_keys=True), json.dumps(given, sort_keys=True))
        if pair in self.seen:
            return
        self.seen.add(pair)
        try:
            yield from self._objects(wanted, given, path)
        finally:
            self.seen.discard(pair)

    def _objects(self, new: dict[str, Any], old: dict[str, Any], path: str) -> Iterator[str]:
        alternatives = old.get("anyOf") or old.get("oneOf")
        if alternatives:
            rest = {name: each for name, each in old.items() if name not in ("anyOf", "oneOf")}
            for index, branch in enumerate(alternatives):
                yield from self.problems(new, _both(self.writer.resolved(branch), rest), f"{path}/{index}")
            return
        if "allOf" in old:
            merged: Any = {name: each for name, each in old.items() if name != "allOf"}
            for part in old["allOf"]:
                merged = _both(merged, self.writer.resolved(part))
            yield from self.problems(new, merged, path)
            return
        if "allOf" in new:
            for part in new["allOf"]:
                yield from self.problems(part, old, path)
            new = {name: each for name, each in new.items() if name != "allOf"}
        for name in ("anyOf", "oneOf"):
            if name in new:
                if not any(not list(self.problems(branch, old, path)) for branch in new[name]):
                    yield f"{path}: none of the alternatives allows what was allowed"
                new = {key: each for key, each in new.items() if key != name}
        yield from self._plain(new, old, path)

    def _plain(self, new: dict[str, Any], old: dict[str, Any], path: str) -> Iterator[str]:
        """Neither has alternatives any more."""
        if "enum" in old or "const" in old:
            values: list[Any] = old.get("enum", [old.get("const")])
            lost = [value for value in values if not _may_be(new, value)]
            if lost:
                yield f"{path}: {', '.join(map(json.dumps, lost))} not allowed any more"
            return
        if "enum" in new or "const" in new:
            yield f"{path}: only certain values are allowed now"
            return
        lost_types = _types(old) - _types(new)
        if lost_types:
            yield f"{path}: type {', '.join(sorted(lost_types))} not allowed any more"
            return
        for name in UPPER:
            if name in new and (name not in old or old[name] > new[name]):
                yield f"{path}: {name} is {new[name]} now, and was {old.get(name, 'without limit')}"
        for name in LOWER:
            if name in new and (name not in old or old[name] < new[name]):
                yield f"{path}: {name} is {new[name]} now, and was {old.get(name, 'without limit')}"
        if "multipleOf" in new and ("multipleOf" not in old or old["multipleOf"] % new["multipleOf"]):
            yield f"{path}: has to be a multiple of {new['multipleOf']} now"
        if new.get("uniqueItems") and not old.get("uniqueItems"):
            yield f"{path}: items have to be unique now"
        for name in new:
            if name not in ANNOTATIONS and name not in COMPARED and new[name] != old.get(name):
                yield f"{path}: {name} was added or changed, and what it does to the values cannot be told"
        kinds = _types(old)
        if "object" in kinds:
            yield from self._properties(new, old, path)
        if "array" in kinds:
            yield from self._items(new, old, path)

    def _properties(self, new: dict[str, Any], old: dict[str, Any], path: str) -> Iterator[str]:
        mine, theirs = new.get("properties", {}), old.get("properties", {})
        for name in new.get("required", []):
            has_default = isinstance(mine.get(name), dict) and "default" in mine[name]
            if name not in old.get("required", []) and not has_default:
                yield f"{path}: property {name!r} is required now and has no default"
        for name in dict.fromkeys((*mine, *theirs)):
            yield from self.problems(_property(new, name), _property(old, name), f"{path}/properties/{name}")
        for pattern in dict.fromkeys((*new.get("patternProperties", {}), *old.get("patternProperties", {}))):
            after = new.get("patternProperties", {}).get(pattern, new.get("additionalProperties", True))
            before = old.get("patternProperties", {}).get(pattern, old.get("additionalProperties", True))
            yield from self.problems(after, before, f"{path}/patternProperties/{pattern}")
        yield from self.problems(
            new.get("additionalProperties", True), old.get("additionalProperties", True), f"{path}/additionalProperties"
        )

    def _items(self, new: dict[str, Any], old: dict[str, Any], path: str) -> Iterator[str]:
        (mine, my_rest), (theirs, their_rest) = _items_of(new), _items_of(old)
        for index in range(max(len(mine), len(theirs))):
            after = mine[index] if index < len(mine) else my_rest
            before = theirs[index] if index < len(theirs) else their_rest
            yield from self.problems(after, before, f"{path}/items/{index}")
        yield from self.problems(my_rest, their_rest, f"{path}/items")


def _described(node: Node) -> dict[str, Any]:
    """A schema's keywords that restrict something."""
    if node is True:
        return {}
    described = cast("dict[str, Any]", node)
    return {name: each for name, each in described.items() if name not in ANNOTATIONS}


def _both(one: Node, other: Node) -> Node:
    """A schema that allows what both allow, as far as it can be said in one: else a little more."""
    if one is False or other is False:
        return False
    merged = dict(_described(one))
    for name, each in _described(other).items():
        if name not in merged:
            merged[name] = each
        elif name == "required":
            merged[name] = list(dict.fromkeys((*merged[name], *each)))
        elif name == "properties":
            merged[name] = {
                key: _both(merged[name].get(key, {}), each.get(key, {}))
                for key in dict.fromkeys((*merged[name], *each))
            }
        elif name == "type":
            kinds = _types({"type": merged[name]}) & _types({"type": each})
            if not kinds:
                return False
            merged[name] = sorted(kinds)
        elif name in UPPER:
            merged[name] = min(merged[name], each)
        elif name in LOWER:
            merged[name] = max(merged[name], each)
    return merged


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types a schema allows; numbers are integers or others."""
    told = schema.get("type", list(ALL_TYPES))
    kinds: set[str] = {told} if isinstance(told, str) else set(told)
    return frozenset(kinds | {"integer"} if "number" in kinds else kinds)


def _may_be(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a single value is allowed, by enum and type."""
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    names = {
        "NoneType": "null",
        "bool": "boolean",
        "dict": "object",
        "list": "array",
        "str": "string",
        "int": "integer",
    }
    return names.get(value.__class__.__name__, "number") in _types(schema)


def _property(schema: Mapping[str, Any], name: str) -> Node:
    """What a property's value has to be; a name that has no schema of its own is one of the additional ones."""
    return schema.get("properties", {}).get(name, schema.get("additionalProperties", True))


def _items_of(schema: Mapping[str, Any]) -> tuple[list[Any], Node]:
    """The schemas of the first items, and that of the rest, in the words of any draft."""
    items = schema.get("items", True)
    if isinstance(items, list):
        return cast("list[Any]", items), schema.get("additionalItems", True)
    return schema.get("prefixItems", []), items
