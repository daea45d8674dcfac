"""The operators that a join of two streams is made of."""

from __future__ import annotations

from typing import Any

from streams.dsl.builder import TopologyBuilder
from streams.dsl.schemas import value_after
from streams.dsl.stream_joined import StreamJoined
from streams.errors import SourceLine
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.operators.stream_join import StreamJoin, StreamJoinKind, StreamJoinSide
from streams.windows import JoinWindows


def join_streams(
    builder: TopologyBuilder,
    left: Node,
    right: Node,
    joiner: UserFunction,
    join: StreamJoinKind,
    windows: JoinWindows,
    *,
    value: Any,
    store: str | StreamJoined | None,
    name: str | None,
    origin: SourceLine | None,
) -> StreamJoin:
    """Appends them; the one results come out of."""
    kept = store if isinstance(store, StreamJoined) else StreamJoined(store)
    base = builder.store_name(kept.name, left, "join", origin)
    schemas = left.schema, right.schema.with_key(left.schema.key)
    specs = kept.sides(builder, base, windows, (left, right), origin)
    types = {"left": left.schema.value.type, "right": right.schema.value.type}
    result = left.schema.with_value(value_after(builder, left.schema, joiner, value, origin, **types))
    label = builder.label(name, left, StreamJoin.kind)
    sides = [
        builder.add(
            StreamJoinSide(
                parents=(parent,),
                schema=schemas[number],
                origin=origin,
                label=f"{label}-{side}",
                spec=specs[number],
                other=specs[1 - number],
                joiner=joiner,
                join=join,
                windows=windows,
                is_right=number == 1,
                topic_name=None if name is None else f"{name}-{side if left is not right else 'left'}",
                left=schemas[0],
                right=schemas[1],
            )
        )
        for number, (side, parent) in enumerate((("left", left), ("right", right)))
    ]
    return builder.add(
        StreamJoin(
            parents=tuple(sides),
            schema=result,
            origin=origin,
            label=label,
            join=join,
            windows=windows,
            spec=None if join == "inner" else kept.unmatched(builder, base, left, origin),
        )
    )
