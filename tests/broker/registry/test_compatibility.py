"""Which schema may follow which: tables of changes, and random values that a reader said to be fit has to read."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from typing import Any

import fastavro
import jsonschema
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.registry.avro import parse_avro, unreadable_avro
from broker.registry.compatibility import incompatibilities, parse
from broker.registry.errors import RegistryError
from broker.registry.json_schema import parse_json_schema, unreadable_json
from broker.registry.protobuf import parse_protobuf, unreadable_protobuf


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


A = field("a", "int")
ENUM = {"type": "enum", "name": "E", "symbols": ["X", "Y"]}

AVRO = [
    ("same", record(A), record(A), True),
    ("field added with default", record(A, field("b", "int", default=0)), record(A), True),
    ("field added without default", record(A, field("b", "int")), record(A), False),
    ("field removed", record(A), record(A, field("b", "int")), True),
    ("int read as long", "long", "int", True),
    ("long read as int", "int", "long", False),
    ("string read as bytes", "bytes", "string", True),
    ("field renamed with alias", record(field("b", "int", aliases=["a"])), record(A), True),
    ("record renamed with alias", record(A, name="S", aliases=["R"]), record(A), True),
    ("record renamed", record(A, name="S"), record(A), False),
    ("optional made of required", ["null", "int"], "int", True),
    ("required made of optional", "int", ["null", "int"], False),
    ("branch added", ["null", "int", "string"], ["null", "int"], True),
    ("branch removed", ["null", "int"], ["null", "int", "string"], False),
    ("symbol added", {**ENUM, "symbols": ["X", "Y", "Z"]}, ENUM, True),
    ("symbol removed", {**ENUM, "symbols": ["X"]}, ENUM, False),
    ("symbol removed with default", {**ENUM, "symbols": ["X"], "default": "X"}, ENUM, True),
    ("items promoted", {"type": "array", "items": "double"}, {"type": "array", "items": "float"}, True),
    ("items changed", {"type": "array", "items": "int"}, {"type": "array", "items": "string"}, False),
    ("values promoted", {"type": "map", "values": "long"}, {"type": "map", "values": "int"}, True),
    (
        "fixed of another size",
        {"type": "fixed", "name": "F", "size": 2},
        {"type": "fixed", "name": "F", "size": 3},
        False,
    ),
    (
        "decimal of another scale",
        {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3},
        {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        False,
    ),
    (
        "recursive",
        record(field("next", ["null", "R"], default=None), field("b", "int", default=1)),
        record(field("next", ["null", "R"])),
        True,
    ),
]


@pytest.mark.parametrize(("reader", "writer", "fits"), [case[1:] for case in AVRO], ids=[case[0] for case in AVRO])
def test_avro_reader_is_fit_as_the_specification_says(reader: Any, writer: Any, fits: bool) -> None:
    problems = unreadable_avro(parse_avro(json.dumps(reader), []), parse_avro(json.dumps(writer), []))
    assert (problems == []) is fits, problems


SIMPLE = st.sampled_from(["int", "long", "float", "double", "string", "boolean", "null"])
TYPES = st.one_of(
    SIMPLE,
    st.lists(SIMPLE, min_size=1, max_size=3, unique=True),
    SIMPLE.map(lambda kind: {"type": "array", "items": kind}),
    st.lists(st.sampled_from(["X", "Y", "Z"]), min_size=1, unique=True).map(
        lambda symbols: {"type": "enum", "name": "E", "symbols": symbols}
    ),
)
DEFAULTS = {"int": 1, "long": 1, "float": 0.5, "double": 0.5, "string": "s", "boolean": True, "null": None}


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    fields: list[Any] = []
    for name in draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True)):
        kind = draw(TYPES)
        has_default = isinstance(kind, str) and draw(st.booleans())
        fields.append(field(name, kind, **({"default": DEFAULTS[kind]} if has_default else {})))
        if isinstance(kind, dict) and kind["type"] == "enum":
            break  # one of a name
    return record(*fields)


def value_of(draw: Any, kind: Any) -> Any:
    if isinstance(kind, list):
        return value_of(draw, draw(st.sampled_from(kind)))
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return [value_of(draw, kind["items"]) for _ in range(draw(st.integers(0, 2)))]
        return draw(st.sampled_from(kind["symbols"]))
    return DEFAULTS[kind]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(records(), records(), st.data())
def test_avro_reader_said_to_be_fit_reads_what_was_written(reader: Any, writer: Any, data: st.DataObject) -> None:
    """fastavro, which knows nothing of our rules, is the judge."""
    if unreadable_avro(parse_avro(json.dumps(reader), []), parse_avro(json.dumps(writer), [])):
        return
    value = {each["name"]: value_of(data.draw, each["type"]) for each in writer["fields"]}
    stream = io.BytesIO()
    parsed = fastavro.parse_schema(json.loads(json.dumps(writer)))
    fastavro.schemaless_writer(stream, parsed, value)
    stream.seek(0)
    read = fastavro.schemaless_reader(stream, parsed, fastavro.parse_schema(json.loads(json.dumps(reader))))
    assert set(read) == {each["name"] for each in reader["fields"]}


def thing(*, required: tuple[str, ...] = (), closed: bool = True, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": list(required)}
    return {**schema, "additionalProperties": False} if closed else schema


INT, TEXT = {"type": "integer"}, {"type": "string"}
JSON = [
    ("same", thing(a=INT), thing(a=INT), True),
    ("optional property added to a closed object", thing(a=INT, b=TEXT), thing(a=INT), True),
    ("property added to an open object", thing(a=INT, b=TEXT, closed=False), thing(a=INT, closed=False), False),
    ("property removed from a closed object", thing(a=INT), thing(a=INT, b=TEXT), False),
    ("property removed from an open object", thing(a=INT, closed=False), thing(a=INT, b=TEXT, closed=False), True),
    ("required property added", thing(a=INT, b=TEXT, required=("b",)), thing(a=INT), False),
    (
        "required property added with default",
        thing(a=INT, b={**TEXT, "default": ""}, required=("b",)),
        thing(a=INT),
        True,
    ),
    ("requirement dropped", thing(a=INT), thing(a=INT, required=("a",)), True),
    ("integer widened to number", {"type": "number"}, INT, True),
    ("number narrowed to integer", INT, {"type": "number"}, False),
    ("null allowed", {"type": ["integer", "null"]}, INT, True),
    ("null forbidden", INT, {"type": ["integer", "null"]}, False),
    ("null allowed by anyOf", {"anyOf": [INT, {"type": "null"}]}, INT, True),
    ("null forbidden by anyOf", INT, {"anyOf": [INT, {"type": "null"}]}, False),
    ("limit raised", {**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 5}, True),
    ("limit lowered", {**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 9}, False),
    ("limit added", {**INT, "minimum": 0}, INT, False),
    ("limit dropped", INT, {**INT, "minimum": 0}, True),
    ("choice added", {"enum": ["a", "b", "c"]}, {"enum": ["a", "b"]}, True),
    ("choice removed", {"enum": ["a"]}, {"enum": ["a", "b"]}, False),
    ("choices opened", TEXT, {"enum": ["a"]}, True),
    ("pattern added", {**TEXT, "pattern": "a+"}, TEXT, False),
    ("items widened", {"type": "array", "items": {"type": "number"}}, {"type": "array", "items": INT}, True),
    ("items narrowed", {"type": "array", "items": INT}, {"type": "array", "items": TEXT}, False),
    ("everything allowed", True, thing(a=INT), True),
    ("something forbidden", {"not": INT}, {}, False),
    ("parts of allOf", {"allOf": [INT, {"minimum": 0}]}, {**INT, "minimum": 1}, True),
    ("a part of allOf more", {"allOf": [INT, {"minimum": 5}]}, {**INT, "minimum": 1}, False),
    (
        "by reference",
        {"$ref": "#/$defs/A", "$defs": {"A": thing(a={"type": "number"})}},
        thing(a=INT),
        True,
    ),
    (
        "recursive",
        {"$ref": "#/$defs/A", "$defs": {"A": thing(n={"$ref": "#/$defs/A"}, b=INT)}},
        {"$ref": "#/$defs/A", "$defs": {"A": thing(n={"$ref": "#/$defs/A"})}},
        True,
    ),
]


@pytest.mark.parametrize(("reader", "writer", "fits"), [case[1:] for case in JSON], ids=[case[0] for case in JSON])
def test_json_reader_is_fit_where_it_allows_all_the_writer_does(reader: Any, writer: Any, fits: bool) -> None:
    problems = unreadable_json(parse_json_schema(json.dumps(reader), {}), parse_json_schema(json.dumps(writer), {}))
    assert (problems == []) is fits, problems


JSON_TYPES = st.sampled_from(["integer", "number", "string", "null", "boolean"])
LEAVES = st.one_of(
    JSON_TYPES.map(lambda kind: {"type": kind}),
    st.lists(JSON_TYPES, min_size=1, unique=True).map(lambda kinds: {"type": kinds}),
    st.lists(st.sampled_from([1, 2, "a", None, True]), min_size=1, unique_by=repr).map(lambda values: {"enum": values}),
    st.integers(-3, 3).map(lambda bound: {"type": "integer", "minimum": bound}),
    st.integers(0, 3).map(lambda bound: {"type": "string", "maxLength": bound}),
    st.booleans(),
)
JSON_SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda properties, required, closed: {
                "type": "object",
                "properties": properties,
                "required": [name for name in required if name in properties],
                **({"additionalProperties": False} if closed else {}),
            },
            st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            st.lists(st.sampled_from("ab"), unique=True),
            st.booleans(),
        ),
        inner.map(lambda items: {"type": "array", "items": items}),
        st.lists(inner, min_size=1, max_size=2).map(lambda branches: {"anyOf": branches}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"allOf": parts}),
    ),
    max_leaves=5,
)
JSON_VALUES = st.recursive(
    st.sampled_from([None, True, 1, 2, -2, 0.5, "", "a", "abcd"]),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(JSON_SCHEMAS, JSON_SCHEMAS, JSON_VALUES)
def test_json_reader_said_to_be_fit_allows_every_value_of_the_writer(reader: Any, writer: Any, value: Any) -> None:
    """jsonschema, which knows nothing of our rules, is the judge."""
    if unreadable_json(parse_json_schema(json.dumps(reader), {}), parse_json_schema(json.dumps(writer), {})):
        return
    judge = jsonschema.Draft202012Validator
    if judge(writer).is_valid(value):
        assert judge(reader).is_valid(value)


def proto(body: str) -> str:
    return f'syntax = "proto3";\npackage shop;\n{body}'


ORDER = "message Order { int64 id = 1; string who = 2; }"
PROTOBUF = [
    ("same", ORDER, ORDER, True),
    ("field added", "message Order { int64 id = 1; string who = 2; bool paid = 3; }", ORDER, True),
    ("field removed", "message Order { int64 id = 1; }", ORDER, True),
    ("field renamed", "message Order { int64 number = 1; string who = 2; }", ORDER, True),
    ("type changed", "message Order { string id = 1; string who = 2; }", ORDER, False),
    ("type interchangeable", "message Order { uint32 id = 1; bytes who = 2; }", ORDER, True),
    ("zigzag is another type", "message Order { sint64 id = 1; string who = 2; }", ORDER, False),
    ("message removed", "message Other { int64 id = 1; }", ORDER, False),
    ("number becomes a list", "message Order { repeated int64 id = 1; string who = 2; }", ORDER, False),
    ("text becomes a list", "message Order { int64 id = 1; repeated string who = 2; }", ORDER, True),
    ("fields moved into a oneof", "message Order { oneof x { int64 id = 1; string who = 2; } }", ORDER, False),
    ("field moved into a oneof", "message Order { oneof x { int64 id = 1; } string who = 2; }", ORDER, True),
    ("enum for a number", "enum E { Z = 0; } message Order { E id = 1; string who = 2; }", ORDER, True),
    (
        "map's value changed",
        "message M { map<string, string> m = 1; }",
        "message M { map<string, int32> m = 1; }",
        False,
    ),
    (
        "nested message found from within and without",
        "message A { message B { int32 c = 1; } B b = 1; }",
        "message A { message B { int32 c = 1; } .shop.A.B b = 1; }",
        True,
    ),
]


@pytest.mark.parametrize(
    ("reader", "writer", "fits"), [case[1:] for case in PROTOBUF], ids=[case[0] for case in PROTOBUF]
)
def test_protobuf_reader_is_fit_where_the_wire_says_so(reader: str, writer: str, fits: bool) -> None:
    problems = unreadable_protobuf(parse_protobuf(proto(reader), {}), parse_protobuf(proto(writer), {}))
    assert (problems == []) is fits, problems


def test_protobuf_text_and_descriptor_of_one_file_are_the_same() -> None:
    file = FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    order = file.message_type.add(name="Order")
    order.field.add(name="id", number=1, type=3, label=1)
    order.field.add(name="state", number=2, type=14, label=1, type_name=".shop.State")
    order.field.add(name="tags_of", number=3, type=11, label=3, type_name=".shop.Order.TagsOfEntry")
    order.oneof_decl.add(name="paid")
    order.field.add(name="cash", number=4, type=8, label=1, oneof_index=0)
    order.field.add(name="line", number=5, type=11, label=3, type_name=".shop.Line")
    entry = order.nested_type.add(name="TagsOfEntry")
    entry.field.add(name="key", number=1, type=9, label=1)
    entry.field.add(name="value", number=2, type=5, label=1)
    file.message_type.add(name="Line").field.add(name="sku", number=1, type=9, label=1)
    file.enum_type.add(name="State").value.add(name="NEW", number=0)
    text = proto(
        """
        import "google/protobuf/any.proto";
        option java_package = "com.shop";
        /* all of it */
        enum State { option allow_alias = true; NEW = 0; }
        message Order {
          reserved 9, 11 to 13; reserved "old";
          int64 id = 1 [deprecated = true, (mine) = {a: 1}];
          State state = 2;  // nested
          map<string, int32> tags_of = 3;
          oneof paid { bool cash = 4; }
          repeated Line line = 5;
        }
        message Line { string sku = 1; }
        service S { rpc Get (Order) returns (Line) { option x = "y"; } }
        """
    )
    compiled = base64.b64encode(file.SerializeToString()).decode()
    assert parse_protobuf(text, {}) == parse_protobuf(compiled, {})


@pytest.mark.parametrize(
    ("level", "expected"),
    [("NONE", True), ("BACKWARD", False), ("FORWARD", True), ("FULL", False), ("FORWARD_TRANSITIVE", True)],
)
def test_level_says_which_way_is_looked_at(level: str, expected: bool) -> None:
    old = parse("AVRO", json.dumps(record(A)), [])
    new = parse("AVRO", json.dumps(record(A, field("b", "int"))), [])
    assert (incompatibilities(level, "AVRO", new, [("AVRO", old)]) == []) is expected


def test_subject_keeps_its_type_of_schemas() -> None:
    old, new = parse("AVRO", '"int"', []), parse("JSON", "{}", [])
    assert "AVRO" in incompatibilities("BACKWARD", "JSON", new, [("AVRO", old)])[0]


@given(st.sampled_from(["AVRO", "JSON", "PROTOBUF"]), st.text(max_size=40))
def test_text_that_is_no_schema_is_refused_and_nothing_else_happens(kind: Any, text: str) -> None:
    with contextlib.suppress(RegistryError):  # a few of the texts are schemas
        parse(kind, text, [])
