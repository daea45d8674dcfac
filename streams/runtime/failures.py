"""Turns what compiled code raised into the error a user reads: which record, which operator, which line, what to do."""

from __future__ import annotations

from typing import Any

from stores import StoreError
from streams.compile.program import Message, RecordFailure
from streams.errors import (
    BufferFullError,
    ProcessingError,
    SchemaRegistryError,
    SerdeError,
    StateError,
    StreamsError,
    record_place,
)
from streams.graph.node import Node
from streams.operators.global_table import GlobalTable
from streams.operators.repartition import Repartition
from streams.operators.source import Source
from streams.runtime.blame import blamed, cure_of
from streams.runtime.refused_record import refused
from streams.serde import describe_type


def describe_failure(failure: RecordFailure, message: Message | None) -> StreamsError:
    """A `SerdeError` for bytes that do not decode or values that do not encode, an operator's own error as it is, else
    a `ProcessingError`.

    `message` is None where no record was being processed, but a wall-clock punctuator ran.
    """
    node, cause = failure.node, failure.cause
    if isinstance(cause, BufferFullError | SchemaRegistryError):
        return cause
    if isinstance(cause, StoreError):  # the disk's, or of a row that is there already
        return StateError(f"{node.label if node is not None else 'the generated code'}: {cause}")
    topic = partition = offset = None
    if message is not None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
    if failure.kind == "production" and node is not None:
        return refused(cause, node.label, getattr(node, "topic", None), record_place(topic, partition, offset))
    if failure.kind == "deserialization" and node is not None:
        schema = node.schema
        if failure.part == "key" and topic is not None:
            schema = (_entry(node, topic) or node).schema
        serde = schema.value_serde() if failure.part == "value" else schema.key_serde()
        return SerdeError(
            part=failure.part,
            type_name=describe_type(serde.type),
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
    origin = node.origin if node is not None else None
    return ProcessingError(
        node=node.label if node is not None else "the generated code",
        function=blamed(node, cause),
        file=origin.file if origin else None,
        line=origin.line if origin else None,
        key=None if message is None else _key_text(message, node),
        topic=topic,
        partition=partition,
        offset=offset,
        cause=cause,
        cure=cure_of(node, cause),
    )


def _key_text(message: Message, node: Node | None) -> Any:
    """The record's key as the topic it was read from has it; if it is no such key, as text, else its bytes."""
    key = message.key()
    if key is None:
        return None
    entry = _entry(node, message.topic())
    readers = (entry.schema.key_serde().deserialize, bytes.decode) if entry is not None else (bytes.decode,)
    for read in readers:
        try:
            return read(key)
        except Exception:
            continue  # the failure that is told is another one
    return key


def _entry(node: Node | None, topic: str) -> Node | None:
    """Where records of `topic` come in, on the way to `node`."""
    queue = [node] if node is not None else []
    for current in queue:
        if isinstance(current, Source) and topic in current.topics:
            return current
        if isinstance(current, Repartition | GlobalTable) and topic == current.topic:
            return current
        queue.extend(parent for parent in current.parents if not any(parent is known for known in queue))
    return None
