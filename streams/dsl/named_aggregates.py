"""Named aggregates as the user wrote them become the columns of an aggregation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from streams.aggregates import Aggregate
from streams.dsl.builder import TopologyBuilder
from streams.dsl.schemas import value_after
from streams.errors import SourceLine
from streams.graph.function import UserFunction, user_function
from streams.graph.schema import Schema
from streams.operators.aggregation import Column
from streams.serde import Unknown, describe_type


def aggregate_columns(
    builder: TopologyBuilder, schema: Schema, named: Mapping[str, Aggregate], origin: SourceLine | None
) -> tuple[Column, ...]:
    """A column for each named aggregate of records of that schema; what is none is noted as a problem."""
    columns: list[Column] = []
    for name, aggregate in named.items():
        if not isinstance(aggregate, Aggregate):  # pyright: ignore[reportUnnecessaryIsInstance]
            builder.problem(
                f"aggregate's {name}= needs a named aggregate such as count() or mean(F.x), got {aggregate!r}", origin
            )
            continue
        of: UserFunction | None = None
        of_type: Any = Unknown
        if aggregate.input is not None:
            of = user_function(builder, "aggregate", aggregate.input, ("value",), ("key", "value"), origin=origin)
            of_type = value_after(builder, schema, of, None, origin).type
            demand = aggregate.demand
            if demand is not None and demand.refuses(of_type):
                builder.problem(
                    f"{name}={aggregate!r} needs {demand.what}, but {of.name} is {describe_type(of_type)}: "
                    f"{demand.cure}",
                    origin,
                )
        columns.append(Column(name=name, aggregate=aggregate, of=of, of_type=of_type))
    return tuple(columns)


def result_struct(columns: Sequence[Column]) -> type[msgspec.Struct]:
    """The type of the value that has an attribute for each column."""
    fields = [(column.name, column.aggregate.result_type(column.of_type)) for column in columns]
    return msgspec.defstruct(
        "Aggregates", [(name, Any if kind is Unknown else kind) for name, kind in fields], frozen=True
    )
