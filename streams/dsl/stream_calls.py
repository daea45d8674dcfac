"""Operators of a stream whose functions are asynchronous, or want many values at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import TypeVar

from streams.context import Context
from streams.dsl.schemas import element_after, value_after
from streams.dsl.stream_handle import StreamHandle
from streams.errors import ConfigError, SourceLine
from streams.graph.function import user_function
from streams.graph.origin import caller_origin
from streams.inflight import BATCH_FORMATS, BatchFormat, CallPolicy, batch_values
from streams.operators.map_async import MapAsync
from streams.operators.map_batch import MapBatch
from streams.serde import Serde
from streams.windows.duration import positive_ms

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
V2 = TypeVar("V2", default=Any)

SECOND = timedelta(seconds=1)


class CallingOperators(StreamHandle[K, V]):
    """`map_async`, `map_batch`. Source: none in Kafka Streams."""

    __slots__ = ()

    @overload
    def map_async(
        self,
        mapper: Callable[[V], Awaitable[V2]],
        *,
        concurrency: int = 16,
        timeout: timedelta = ...,
        retries: int = 0,
        backoff: timedelta = ...,
        max_backoff: timedelta = ...,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    @overload
    def map_async(
        self,
        mapper: Callable[[K, V], Awaitable[V2]],
        *,
        concurrency: int = 16,
        timeout: timedelta = ...,
        retries: int = 0,
        backoff: timedelta = ...,
        max_backoff: timedelta = ...,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    @overload
    def map_async(
        self,
        mapper: Callable[[V, Context], Awaitable[V2]] | Callable[[K, V, Context], Awaitable[V2]],
        *,
        concurrency: int = 16,
        timeout: timedelta = ...,
        retries: int = 0,
        backoff: timedelta = ...,
        max_backoff: timedelta = ...,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    def map_async(
        self,
        mapper: Any,
        *,
        concurrency: int = 16,
        timeout: timedelta = 10 * SECOND,
        retries: int = 0,
        backoff: timedelta = SECOND / 10,
        max_backoff: timedelta = 10 * SECOND,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """Each record with the value that `await mapper(value)` or `await mapper(key, value)` gives, in the order of
        the input, under the same key, timestamp and headers. Null values are passed to it too.

        Calls run in one event loop for the whole worker, on a thread of its own. A task that has `concurrency` records
        in flight takes no more input until the first of them is out. Time does not run ahead: windows behind the
        operator, and punctuators, see the records in their order and nothing before its turn.

        What is in flight is not committed: where nothing but `filter`, `map`, `map_values`, `select_key`, `peek` and
        `merge` stands between a topic and the operator, a commit leaves it for the next one; else the commit waits for
        it, so that `timeout`, retries included, has to stay well below the transaction timeout (10 s).

        Args:
            concurrency: most records in flight in each task.
            timeout: of one call.
            retries: further calls for a record after one that raised or ran out of time. When the last one has, it is
                the record's error, as if `map_values` had raised it.
            backoff: the wait before the first of them; each further wait is twice as long, up to `max_backoff`.
        """
        origin = caller_origin()
        function = user_function(
            self._builder,
            "map_async",
            mapper,
            ("value",),
            ("key", "value"),
            origin=origin,
            expression=False,
            asynchronous=True,
        )
        policy = CallPolicy(
            concurrency=self._at_least(1, "map_async", "concurrency", concurrency, origin),
            timeout_ms=self._positive("map_async", "timeout", timeout, origin),
            retries=self._at_least(0, "map_async", "retries", retries, origin),
            backoff_ms=self._positive("map_async", "backoff", backoff, origin),
            max_backoff_ms=self._positive("map_async", "max_backoff", max_backoff, origin),
        )
        part = value_after(self._builder, self._node.schema, function, value, origin)
        schema = self._node.schema.with_value(part)
        return self._stream(self._then(MapAsync, name, origin, schema, mapper=function, policy=policy))

    @overload
    def map_batch(
        self,
        mapper: Callable[[list[V]], Iterable[V2]],
        *,
        max_size: int = 64,
        max_wait: timedelta = ...,
        format: Literal["list"] = "list",
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    @overload
    def map_batch(
        self,
        mapper: Callable[[Any], Any],
        *,
        max_size: int = 64,
        max_wait: timedelta = ...,
        format: Literal["numpy", "arrow"],
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]: ...
    def map_batch(
        self,
        mapper: Callable[[Any], Any],
        *,
        max_size: int = 64,
        max_wait: timedelta = SECOND / 20,
        format: BatchFormat = "list",
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """Each record with its own of the results of `mapper(values)`, which is called with many values at once and
        returns as many results, in the same order; each under its record's key, timestamp and headers.

        A batch ends with `max_size` values, `max_wait` after its first, and at every commit at the latest. Where the
        function raises for a batch and the application's `processing_handler` may pass over records, it is called
        again for each record alone.

        Args:
            max_size: most values in a call.
            max_wait: most a record waits for others.
            format: what the function gets. `"list"`: a list of the values. `"numpy"`: an array; of structs, dataclasses
                and dicts a structured one, with `batch["field"]`. `"arrow"`: a `pyarrow.Table` with a column for each
                field, of other values with the column `value`. It may return a list, an array or an Arrow array.
        """
        origin = caller_origin()
        function = user_function(self._builder, "map_batch", mapper, ("values",), origin=origin, expression=False)
        if function.wants_context:
            self._builder.problem("map_batch calls its function with (values), not with a Context", origin)
        if format not in BATCH_FORMATS:
            formats = ", ".join(map(repr, BATCH_FORMATS))
            self._builder.problem(f"map_batch: format={format!r} is none of {formats}", origin)
        else:
            try:
                batch_values(format)
            except ConfigError as error:
                self._builder.problem(str(error), origin)
        part = element_after(self._builder, self._node.schema, function, value, origin)
        node = self._then(
            MapBatch,
            name,
            origin,
            self._node.schema.with_value(part),
            mapper=function,
            max_size=self._at_least(1, "map_batch", "max_size", max_size, origin),
            max_wait_ms=self._positive("map_batch", "max_wait", max_wait, origin),
            form=format,
        )
        return self._stream(node)

    def _at_least(self, least: int, operator: str, argument: str, number: int, origin: SourceLine | None) -> int:
        if not isinstance(number, int) or number < least:  # pyright: ignore[reportUnnecessaryIsInstance]
            self._builder.problem(
                f"{operator}: {argument} must be a whole number from {least} on, got {number!r}", origin
            )
            return least
        return number

    def _positive(self, operator: str, argument: str, duration: timedelta, origin: SourceLine | None) -> int:
        """A duration in ms."""
        try:
            return positive_ms(argument, duration)
        except ValueError as error:
            self._builder.problem(f"{operator}: {error}", origin)
            return 1
