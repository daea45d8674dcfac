"""`KStream`: an unbounded sequence of records, each a fact of its own."""

from __future__ import annotations

from typing import TypeVar

from streams.dsl.stream_calls import CallingOperators
from streams.dsl.stream_grouping import StreamGrouping
from streams.dsl.stream_joins import StreamJoins
from streams.dsl.stream_outputs import StreamOutputs
from streams.dsl.stream_processing import StreamProcessing
from streams.dsl.stream_stateless import StatelessOperators

K = TypeVar("K")
V = TypeVar("V")


class KStream(
    StatelessOperators[K, V],
    CallingOperators[K, V],
    StreamGrouping[K, V],
    StreamJoins[K, V],
    StreamProcessing[K, V],
    StreamOutputs[K, V],
):
    """An immutable handle on a stream. Each method returns a new handle and changes none.

    Functions get `(key, value)`, or `value` alone where the name says so; an expression on `F` fits wherever a
    function does. A last parameter annotated `Context` receives the record's coordinates. Where a function's result
    type cannot be told from its annotation or body, `key=` and `value=` say it.

    The operators stand in one file per family: `stream_stateless`, `stream_calls`, `stream_grouping`,
    `stream_joins`, `stream_processing`, `stream_outputs`.
    Source: `org.apache.kafka.streams.kstream.KStream`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"KStream({self._node.label})"
