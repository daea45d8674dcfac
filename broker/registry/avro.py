"""Avro schemas: are they schemas, and can a reader with one read what was written with another.

Source: the Avro specification, "Schema Resolution". Beyond Java's `SchemaCompatibility`, decimals have to keep their
scale: else numbers would be read that nobody wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
PROMOTED = {
    ("long", "int"),
    ("float", "int"),
    ("double", "int"),
    ("float", "long"),
    ("double", "long"),
    ("double", "float"),
    ("string", "bytes"),
    ("bytes", "string"),
}
"""(reader, writer)."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
NO_DEFAULT = object()


@dataclass(slots=True, eq=False)
class AvroField:
    name: str
    type: AvroType
    default: Any
    aliases: tuple[str, ...]


@dataclass(slots=True, eq=False)
class AvroType:
    """One type of a schema; what does not belong to its `kind` is empty. Records may contain themselves."""

    kind: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    fields: list[AvroField] = field(default_factory=list[AvroField])
    symbols: tuple[str, ...] = ()
    default: Any = NO_DEFAULT
    inner: list[AvroType] = field(default_factory=list["AvroType"])
    size: int = 0
    scale: int | None = None
    """Of a decimal."""


def parse_avro(text: str, references: Sequence[str]) -> AvroType:
    """The schema of a JSON text; `references` are the texts of others whose names it may use. Raises ValueError."""
    names: dict[str, AvroType] = {}
    for reference in references:
        _Parser(names).type(json.loads(reference), "")
    return _Parser(names).type(_load(text), "")


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        if text in PRIMITIVES:  # Confluent takes them without quotation marks
            return text
        raise


@dataclass(slots=True)
class _Parser:
    names: dict[str, AvroType]

    def type(self, schema: Any, namespace: str) -> AvroType:
        if isinstance(schema, str):
            if schema in PRIMITIVES:
                return AvroType(schema)
            full = schema if "." in schema or not namespace else f"{namespace}.{schema}"
            found = self.names.get(full) or self.names.get(schema)
            if found is None:
                raise ValueError(f'"{schema}" is not a defined name')
            return found
        if isinstance(schema, list):
            return self._union(schema, namespace)  # pyright: ignore[reportUnknownArgumentType]
        if not isinstance(schema, dict):
            raise ValueError(f"{json.dumps(schema)} is no type")
        described = cast("dict[str, Any]", schema)
        kind = described.get("type")
        if kind in ("record", "error", "enum", "fixed"):
            return self._named(described, str(kind), namespace)
        if kind in ("array", "map"):
            inner = "items" if kind == "array" else "values"
            if inner not in described:
                raise ValueError(f"a type {kind!r} has no {inner!r}")
            return AvroType(str(kind), inner=[self.type(described[inner], namespace)])
        if kind is None:
            raise ValueError(f"no type: {json.dumps(described)}")
        made = self.type(kind, namespace)
        if described.get("logicalType") == "decimal" and made.kind == "bytes":
            return AvroType("bytes", scale=int(described.get("scale", 0)))
        return made

    def _union(self, branches: list[Any], namespace: str) -> AvroType:
        types = [self.type(branch, namespace) for branch in branches]
        if any(one.kind == "union" for one in types):
            raise ValueError("unions may not immediately contain other unions")
        kinds = [one.name or one.kind for one in types]
        if len(set(kinds)) != len(kinds):
            raise ValueError(f"a union has two of one type: {kinds}")
        return AvroType("union", inner=types)

    def _named(self, described: dict[str, Any], kind: str, namespace: str) -> AvroType:
        name = described.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"a {kind} has no valid name: {name!r}")
        if "." in name:
            namespace = name.rpartition(".")[0]
        else:
            namespace = described.get("namespace", namespace) or ""
            name = f"{namespace}.{name}" if namespace else name
        if name in self.names:
            raise ValueError(f'"{name}" is defined twice')
        aliases = tuple(
            one if "." in one or not namespace else f"{namespace}.{one}" for one in described.get("aliases", ())
        )
        made = self.names[name] = AvroType("record" if kind == "error" else kind, name, aliases)
        if kind == "enum":
            symbols = described.get("symbols")
            if not isinstance(symbols, list):
                raise ValueError(f"enum {name} has no symbols")
            made.symbols = tuple(str(one) for one in symbols)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            if len(set(made.symbols)) != len(made.symbols):
                raise ValueError(f"enum {name} has a symbol twice")
            made.default = described.get("default", NO_DEFAULT)
            if made.default is not NO_DEFAULT and made.default not in made.symbols:
                raise ValueError(f"the default of enum {name} is not one of its symbols")
        elif kind == "fixed":
            if not isinstance(described.get("size"), int):
                raise ValueError(f"fixed {name} has no size")
            made.size = described["size"]
            if described.get("logicalType") == "decimal":
                made.scale = int(described.get("scale", 0))
        else:
            self._fields(made, described.get("fields"), namespace)
        return made

    def _fields(self, record: AvroType, fields: Any, namespace: str) -> None:
        if not isinstance(fields, list):
            raise ValueError(f"record {record.name} has no fields")
        known: set[str] = set()
        each: Any
        for each in fields:  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(each, dict) or "name" not in each or "type" not in each:
                raise ValueError(f"a field of record {record.name} has no name or no type")
            described = cast("dict[str, Any]", each)
            name = str(described["name"])
            if not NAME.fullmatch(name) or "." in name:
                raise ValueError(f"{name!r} is no name of a field")
            if name in known:
                raise ValueError(f"record {record.name} has two fields {name!r}")
            known.add(name)
            kind = self.type(described["type"], namespace)
            default = described.get("default", NO_DEFAULT)
            if default is not NO_DEFAULT and not _is_default(default, kind):
                raise ValueError(
                    f"the default of field {record.name}.{name} is none of its values: {json.dumps(default)}"
                )
            record.fields.append(AvroField(name, kind, default, tuple(described.get("aliases", ()))))


def _is_default(value: Any, kind: AvroType) -> bool:
    """Whether JSON is a value of the type; of a union, of any of its branches (as Avro has it since 1.12)."""
    if kind.kind == "union":
        return any(_is_default(value, branch) for branch in kind.inner)
    if kind.kind == "record":
        return isinstance(value, dict) and all(
            _is_default(value[one.name], one.type) if one.name in value else one.default is not NO_DEFAULT
            for one in kind.fields
        )
    if kind.kind == "array":
        return isinstance(value, list) and all(_is_default(one, kind.inner[0]) for one in value)  # pyright: ignore[reportUnknownVariableType]
    if kind.kind == "map":
        return isinstance(value, dict) and all(_is_default(one, kind.inner[0]) for one in value.values())  # pyright: ignore[reportUnknownVariableType]
    if kind.kind == "enum":
        return value in kind.symbols
    if kind.kind in ("int", "long"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind.kind in ("float", "double"):
        return (isinstance(value, int | float) and not isinstance(value, bool)) or value in (
            "NaN",
            "Infinity",
            "-Infinity",
        )
    if kind.kind == "null":
        return value is None
    return isinstance(value, bool if kind.kind == "boolean" else str)


def unreadable_avro(reader: AvroType, writer: AvroType) -> list[str]:
    """Why values of `writer` cannot all be read as `reader`; empty: they can."""
    return list(_unreadable(reader, writer, "", set()))


def _unreadable(reader: AvroType, writer: AvroType, path: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    where = path or "/"
    if writer.kind == "union":
        for branch in writer.inner:
            yield from _unreadable(reader, branch, path, seen)
        return
    if reader.kind == "union":
        if not any(not list(_unreadable(branch, writer, path, set(seen))) for branch in reader.inner):
            yield f"MISSING_UNION_BRANCH at {where}: the reader's union lacks {writer.name or writer.kind}"
        return
    if reader.kind != writer.kind:
        if (reader.kind, writer.kind) not in PROMOTED:
            yield f"TYPE_MISMATCH at {where}: {writer.name or writer.kind} is not read as {reader.name or reader.kind}"
        return
    if reader.name:
        if reader.name != writer.name and writer.name not in reader.aliases:
            yield f"NAME_MISMATCH at {where}: {writer.name} is not read as {reader.name}"
            return
        if (id(reader), id(writer)) in seen:
            return
        seen.add((id(reader), id(writer)))
    if reader.scale != writer.scale:
        yield f"TYPE_MISMATCH at {where}: a decimal's scale changed from {writer.scale} to {reader.scale}"
    if reader.kind == "fixed" and reader.size != writer.size:
        yield f"FIXED_SIZE_MISMATCH at {where}: {writer.size} bytes are not read as {reader.size}"
    elif reader.kind == "enum" and reader.default is NO_DEFAULT:
        missing = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
        if missing:
            yield f"MISSING_ENUM_SYMBOLS at {where}: the reader lacks {', '.join(missing)} and has no default"
    elif reader.kind == "record":
        yield from _unreadable_record(reader, writer, path, seen)
    elif reader.kind in ("array", "map"):
        yield from _unreadable(
            reader.inner[0], writer.inner[0], f"{path}/{'items' if reader.kind == 'array' else 'values'}", seen
        )


def _unreadable_record(reader: AvroType, writer: AvroType, path: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    written = {one.name: one for one in writer.fields}
    for wanted in reader.fields:
        found = next((written[name] for name in (wanted.name, *wanted.aliases) if name in written), None)
        if found is not None:
            yield from _unreadable(wanted.type, found.type, f"{path}/{wanted.name}", seen)
        elif wanted.default is NO_DEFAULT:
            yield (
                f"READER_FIELD_MISSING_DEFAULT_VALUE at {path or '/'}: field {wanted.name!r} was not written and has "
                "no default"
            )
