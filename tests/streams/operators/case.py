"""What a case of the operators' contract is: a small topology, attached to a stream by functions that may change their
aggregates in place.

The stream has string keys and JSON values (small integers, or null). Windows and times are a few milliseconds long, so
that a hundred records make everything happen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streams import (
    App,
    Json,
    KStream,
    KTable,
)
from streams.graph.node import Node

MS = timedelta(milliseconds=1)
Out = KStream[Any, Any] | KTable[Any, Any] | None


@dataclass(frozen=True)
class Folds:
    """The user's functions of a case, which either change their aggregates in place or make new ones."""

    append: Callable[[str, Any, list[Any]], list[Any]]
    remove: Callable[[str, Any, list[Any]], list[Any]]
    join: Callable[[list[Any], list[Any]], list[Any]]


def append_in_place(key: str, value: Any, aggregate: list[Any]) -> list[Any]:
    aggregate.append(value)
    return aggregate


def remove_in_place(key: str, value: Any, aggregate: list[Any]) -> list[Any]:
    if value in aggregate:
        aggregate.remove(value)
    return aggregate


def join_in_place(aggregate: list[Any], other: list[Any]) -> list[Any]:
    aggregate.extend(other)
    return aggregate


def without(key: str, value: Any, aggregate: list[Any]) -> list[Any]:
    found = aggregate.index(value) if value in aggregate else len(aggregate)
    return aggregate[:found] + aggregate[found + 1 :]


IN_PLACE = Folds(append_in_place, remove_in_place, join_in_place)
ANEW = Folds(lambda k, v, a: [*a, v], without, lambda a, b: a + b)


@dataclass(frozen=True)
class Parts:
    """What a case builds with. The two streams are read, or repartitioned, alike."""

    app: App
    stream: KStream[str, Any]
    other: Callable[[], KStream[str, Any]]
    folds: Folds


@dataclass(frozen=True, kw_only=True)
class Case:
    """
    Args:
        operators: the classes whose entry this is.
        hold_back_ms: what the topology's operators must declare together.
        folds: it has functions that may change aggregates in place.
        reaches_back_ms: how much older than its input what comes out may be without having been held back: a session
            that is taken into another is deleted at its old end, as Kafka Streams does it.
        unit_ms: what its records' times are multiplied with.
        keys_only: which changes of a key come out depends on when time passes; only that some do does not.
    """

    name: str
    operators: tuple[type[Node], ...]
    attach: Callable[[Parts], Out]
    hold_back_ms: int = 0
    folds: bool = False
    reaches_back_ms: int = 0
    unit_ms: int = 1
    keys_only: bool = False


def small(value: Any) -> int:
    return value or 0


def lists(stream: KStream[str, Any]) -> KStream[str, Any]:
    return stream.filter(lambda k, v: v is not None).map_values(lambda v: [v], value=Json())
