"""Turns what compiled code raised into the error a user reads: which record, which operator, which line, what to do."""

from __future__ import annotations

import traceback
from typing import Any

from streams.compile.program import Message, RecordFailure
from streams.errors import ProcessingError, SerdeError, StreamsError
from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.processors.supplier import ProcessorSupplier
from streams.serde import describe_type


def describe_failure(failure: RecordFailure, message: Message | None) -> StreamsError:
    """A `SerdeError` for bytes that do not decode or values that do not encode, else a `ProcessingError`.

    `message` is None where no record was being processed, but a wall-clock punctuator ran.
    """
    node, cause = failure.node, failure.cause
    topic = partition = offset = None
    if message is not None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
    if failure.kind == "deserialization" and node is not None:
        return SerdeError(
            part="value",
            type_name=describe_type(node.schema.value_serde().type),
            topic=topic,
            partition=partition,
            offset=offset,
            cause=cause,
        )
    if failure.kind == "serialization" and node is not None:
        return SerdeError(
            part="value",
            type_name=f"{describe_type(node.schema.key_serde().type)} key with "
            f"{describe_type(node.schema.value_serde().type)} value (operator {node.label})",
            topic=topic,
            partition=partition,
            offset=offset,
            action="serialize",
            cause=cause,
        )
    where = traceback.extract_tb(cause.__traceback__)[-1:]
    origin = node.origin if node is not None else None
    return ProcessingError(
        node=node.label if node is not None else "the generated code",
        function=_function_name(node) + (f" (raised at {where[0].filename}:{where[0].lineno})" if where else ""),
        file=origin.file if origin else None,
        line=origin.line if origin else None,
        key=None if message is None else _key_text(message),
        topic=topic,
        partition=partition,
        offset=offset,
        cause=cause,
    )


def _function_name(node: Node | None) -> str:
    """The user's function of an operator, by the name its author gave it."""
    for slot in getattr(type(node), "__dataclass_fields__", {}):
        held: Any = getattr(node, slot, None)
        if isinstance(held, UserFunction):
            return repr(held.target) if isinstance(held.target, Expression) else held.name
        if isinstance(held, ProcessorSupplier):
            return held.name
    return "the operator's own code"


def _key_text(message: Message) -> Any:
    """The record's key as text where it is text, else its bytes."""
    key = message.key()
    if key is None:
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return key
