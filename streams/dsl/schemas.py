"""Keys and values behind a user's function: what was declared, else what can be told from the function itself."""

from __future__ import annotations

from typing import Any

from streams.dsl.builder import TopologyBuilder
from streams.errors import SourceLine
from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.graph.schema import Part, Schema
from streams.serde import Unknown, element_type, infer_result_type, pair_types


def value_after(
    builder: TopologyBuilder,
    schema: Schema,
    function: UserFunction,
    given: Any,
    origin: SourceLine | None,
    **others: Any,
) -> Part:
    """The value part behind `function`. `others`: types of arguments that are not of the record (`left`, `right`)."""
    return builder.part(given, "value", Part(_result_type(schema, function, others)), origin)


def key_after(
    builder: TopologyBuilder, schema: Schema, function: UserFunction, given: Any, origin: SourceLine | None
) -> Part:
    """The key part behind `function`."""
    return builder.part(given, "key", Part(_result_type(schema, function, {})), origin)


def pair_after(
    builder: TopologyBuilder,
    schema: Schema,
    function: UserFunction,
    key: Any,
    value: Any,
    origin: SourceLine | None,
    *,
    many: bool,
) -> Schema:
    """Key and value behind a function that returns a pair (`many`: an iterable of pairs)."""
    result = _result_type(schema, function, {})
    of_key, of_value = pair_types(element_type(result) if many else result)
    return builder.schema(key, value, Schema(Part(of_key), Part(of_value)), origin)


def element_after(
    builder: TopologyBuilder, schema: Schema, function: UserFunction, given: Any, origin: SourceLine | None
) -> Part:
    """The value part behind a function that returns an iterable of values."""
    return builder.part(given, "value", Part(element_type(_result_type(schema, function, {}))), origin)


def _result_type(schema: Schema, function: UserFunction, others: dict[str, Any]) -> Any:
    if isinstance(function.target, Expression):
        return function.target.result_type(schema.value.type, schema.key.type)
    known = {"key": schema.key.type, "value": schema.value.type, **others}
    return infer_result_type(function.target, [known.get(argument, Unknown) for argument in function.arguments])
