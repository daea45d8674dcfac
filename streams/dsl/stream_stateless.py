"""Operators of a stream that keep no state: each record on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, TextIO, overload

from typing_extensions import TypeVar

from streams.context import Context
from streams.dsl.branched import BranchedStream
from streams.dsl.operand import is_operand
from streams.dsl.printed import Printed
from streams.dsl.schemas import element_after, pair_after, value_after
from streams.dsl.stream_handle import StreamHandle
from streams.expressions import Expression
from streams.graph.function import user_function
from streams.graph.origin import caller_origin
from streams.operators.filter import Filter
from streams.operators.flat_map import FlatMap, FlatMapValues
from streams.operators.map import Map
from streams.operators.map_values import MapValues
from streams.operators.merge import Merge
from streams.operators.peek import Foreach, Peek
from streams.serde import Serde

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2", default=Any)  # what an expression on F gives, no type checker can tell
V2 = TypeVar("V2", default=Any)

Predicate = Callable[[K, V], Any] | Callable[[K, V, Context], Any] | Expression


class StatelessOperators(StreamHandle[K, V]):
    """`filter` to `split`. Source: `KStream`, KIP-159 for the record's context in functions."""

    __slots__ = ()

    def filter(self, predicate: Predicate[K, V], *, name: str | None = None) -> KStream[K, V]:
        """The records `predicate(key, value)` holds for."""
        return self._filter("filter", predicate, negate=False, name=name)

    def filter_not(self, predicate: Predicate[K, V], *, name: str | None = None) -> KStream[K, V]:
        """The records `predicate(key, value)` does not hold for."""
        return self._filter("filter_not", predicate, negate=True, name=name)

    def _filter(self, operator: str, predicate: Any, *, negate: bool, name: str | None) -> KStream[K, V]:
        origin = caller_origin()
        function = user_function(self._builder, operator, predicate, ("key", "value"), origin=origin)
        node = self._then(Filter, name, origin, self._node.schema, predicate=function, negate=negate)
        return self._stream(node)

    @overload
    def map_values(
        self, mapper: Callable[[V], V2], *, value: type[V2] | Serde | Any = None, name: str | None = None
    ) -> KStream[K, V2]: ...
    @overload
    def map_values(
        self, mapper: Callable[[K, V], V2], *, value: type[V2] | Serde | Any = None, name: str | None = None
    ) -> KStream[K, V2]: ...
    @overload
    def map_values(
        self,
        mapper: Callable[[V, Context], V2] | Callable[[K, V, Context], V2] | Expression,
        *,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    def map_values(
        self,
        mapper: Any,
        *,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """Each record with the value `mapper(value)` or `mapper(key, value)`. Null values are passed to it too."""
        origin = caller_origin()
        function = user_function(self._builder, "map_values", mapper, ("value",), ("key", "value"), origin=origin)
        node = self._then(
            MapValues,
            name,
            origin,
            self._node.schema.with_value(value_after(self._builder, self._node.schema, function, value, origin)),
            mapper=function,
        )
        return self._stream(node)

    def map(
        self,
        mapper: Callable[[K, V], tuple[K2, V2]]
        | Callable[[K, V, Context], tuple[K2, V2]]
        | Expression
        | tuple[Any, Any],
        *,
        key: type[K2] | Serde | Any = None,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V2]:
        """The pair `mapper(key, value)`, or `(F.a, F.b)`, in place of each record. The key counts as changed."""
        origin = caller_origin()
        function = user_function(self._builder, "map", mapper, ("key", "value"), origin=origin)
        node = self._then(
            Map,
            name,
            origin,
            pair_after(self._builder, self._node.schema, function, key, value, origin, many=False),
            mapper=function,
        )
        return self._stream(node)

    def flat_map(
        self,
        mapper: Callable[[K, V], Iterable[tuple[K2, V2]]]
        | Callable[[K, V, Context], Iterable[tuple[K2, V2]]]
        | Expression,
        *,
        key: type[K2] | Serde | Any = None,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V2]:
        """All pairs of `mapper(key, value)` in place of each record. The key counts as changed."""
        origin = caller_origin()
        function = user_function(self._builder, "flat_map", mapper, ("key", "value"), origin=origin)
        node = self._then(
            FlatMap,
            name,
            origin,
            pair_after(self._builder, self._node.schema, function, key, value, origin, many=True),
            mapper=function,
        )
        return self._stream(node)

    @overload
    def flat_map_values(
        self, mapper: Callable[[V], Iterable[V2]], *, value: type[V2] | Serde | Any = None, name: str | None = None
    ) -> KStream[K, V2]: ...
    @overload
    def flat_map_values(
        self, mapper: Callable[[K, V], Iterable[V2]], *, value: type[V2] | Serde | Any = None, name: str | None = None
    ) -> KStream[K, V2]: ...
    @overload
    def flat_map_values(
        self,
        mapper: Callable[[V, Context], Iterable[V2]] | Callable[[K, V, Context], Iterable[V2]] | Expression,
        *,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    def flat_map_values(
        self,
        mapper: Any,
        *,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """A record for each value of `mapper(value)`, under the same key."""
        origin = caller_origin()
        function = user_function(self._builder, "flat_map_values", mapper, ("value",), ("key", "value"), origin=origin)
        node = self._then(
            FlatMapValues,
            name,
            origin,
            self._node.schema.with_value(element_after(self._builder, self._node.schema, function, value, origin)),
            mapper=function,
        )
        return self._stream(node)

    def select_key(
        self,
        selector: Callable[[K, V], K2] | Callable[[K, V, Context], K2] | Expression,
        *,
        key: type[K2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V]:
        """Each record under the key `selector(key, value)`. The next key-dependent operator repartitions."""
        return self._stream(self._select_key("select_key", selector, key, name, caller_origin()))

    def peek(
        self, action: Callable[[K, V], Any] | Callable[[K, V, Context], Any], *, name: str | None = None
    ) -> KStream[K, V]:
        """Calls `action(key, value)` for its effect and passes the record on."""
        origin = caller_origin()
        node = self._then(
            Peek,
            name,
            origin,
            self._node.schema,
            action=user_function(self._builder, "peek", action, ("key", "value"), origin=origin, expression=False),
        )
        return self._stream(node)

    def foreach(
        self, action: Callable[[K, V], Any] | Callable[[K, V, Context], Any], *, name: str | None = None
    ) -> None:
        """Calls `action(key, value)` for its effect; nothing follows."""
        origin = caller_origin()
        self._then(
            Foreach,
            name,
            origin,
            self._node.schema,
            action=user_function(self._builder, "foreach", action, ("key", "value"), origin=origin, expression=False),
        )

    def print(
        self,
        *,
        label: str | None = None,
        file: TextIO | str | PathLike[str] | None = None,
        mapper: Callable[[K, V], Any] | None = None,
        name: str | None = None,
    ) -> None:
        """Prints each record as `[label]: key, value`; nothing follows.

        Args:
            label: default the operator's name.
            file: an open text file, or the path of one to append to; default standard output.
            mapper: gives what to print in place of `key, value`.

        Source: `KStream.print(Printed)`.
        """
        origin = caller_origin()
        operator = self._builder.label(name, self._node, "print")
        printed = Printed(label=label or operator, file=file, mapper=mapper)
        node = Foreach(
            parents=(self._node,),
            schema=self._node.schema,
            origin=origin,
            label=operator,
            action=user_function(self._builder, "print", printed, ("key", "value"), origin=origin, expression=False),
        )
        self._builder.add(node)

    def merge(self, other: KStream[K, V], *, name: str | None = None) -> KStream[K, V]:
        """The records of both streams, without an order between them."""
        origin = caller_origin()
        if not is_operand(self._builder, "merge", other, origin, "KStream"):
            return self._stream(self._node)
        node = Merge(
            parents=(self._node, other._node),
            schema=self._node.schema.common(other._node.schema),
            origin=origin,
            label=self._builder.label(name, self._node, Merge.kind),
        )
        if other._builder is not self._builder:
            self._builder.problem("merge needs two streams of the same App", origin)
        return self._stream(self._builder.add(node))

    def split(self, *, name: str = "branch") -> BranchedStream[K, V]:
        """Begins branching: `.branch(predicate, name=…)…` then `.default_branch()` or `.no_default_branch()`."""
        return BranchedStream[K, V].of(self._builder, self._node, name, caller_origin(), self._stream)
