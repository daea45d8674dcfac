"""A user's own operators on a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from stores import ValueCodec, WindowSpec
from streams.dsl.schemas import value_after
from streams.dsl.stream_handle import StreamHandle
from streams.expressions import Expression
from streams.graph.function import is_async, user_function
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.deduplicate import Deduplicate
from streams.operators.process import Process, ProcessValues
from streams.processors import FixedKeyProcessor, Processor
from streams.processors.supplier import ProcessorSupplier, is_supplier
from streams.serde import Serde
from streams.state import StoreDeclaration, StoreName
from streams.windows.duration import MILLISECOND

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2", default=Any)
V2 = TypeVar("V2", default=Any)


class StreamProcessing(StreamHandle[K, V]):
    """`process`, `process_values`, `deduplicate`. Source: KIP-820, KIP-655."""

    __slots__ = ()

    def process(
        self,
        processor: Callable[[], Processor[K, V, K2, V2]] | Processor[K, V, K2, V2],
        *,
        stores: Iterable[str | StoreDeclaration[Any]] = (),
        key: type[K2] | Serde | Any = None,
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K2, V2]:
        """Each record through a `Processor`; what it forwards goes on. The key counts as changed.

        Args:
            processor: its class, or a function that makes one, called once for each task. An instance is a pattern:
                each task works with a deep copy of it.
            stores: the stores it uses, declared here (`Stores.key_value(…)`) or by `app.add_store`, or the name of a
                table's store. Operators that share a store are in one sub-topology.
            key, value: the types or serdes of what it forwards, where they cannot be told from its class.
        """
        return self._stream(self._process(Process, Processor, processor, stores, key, value, name))

    def process_values(
        self,
        processor: Callable[[], FixedKeyProcessor[K, V, V2]] | FixedKeyProcessor[K, V, V2],
        *,
        stores: Iterable[str | StoreDeclaration[Any]] = (),
        value: type[V2] | Serde | Any = None,
        name: str | None = None,
    ) -> KStream[K, V2]:
        """Each record through a `FixedKeyProcessor`, which keeps the key, so that nothing has to be repartitioned.

        The arguments are those of `process`.
        """
        return self._stream(self._process(ProcessValues, FixedKeyProcessor, processor, stores, None, value, name))

    def deduplicate(
        self,
        *,
        within: timedelta,
        by: Callable[[V], Any] | Callable[[K, V], Any] | Expression | None = None,
        store: StoreName | None = None,
        name: str | None = None,
    ) -> KStream[K, V]:
        """The stream without repetitions: a record is dropped if one with the same key was passed on less than `within`
        of event time before or after it.

        Args:
            by: what else makes records of one key the same, a function of `value` or `(key, value)`, or an expression
                such as `F.order_id`; a record for which it gives None passes. For an identity whatever the key,
                `select_key` it first.
            store: the name of the store. It has a small row for each record passed on and keeps it for twice `within`;
                records up to `within` late are judged exactly, older ones pass if their time is forgotten.

        Null keys are dropped and counted. Source: KIP-655.
        """
        origin, builder, known = caller_origin(), self._builder, self._node.schema
        if not isinstance(within, timedelta) or within < MILLISECOND:  # pyright: ignore[reportUnnecessaryIsInstance]
            builder.problem(
                f"deduplicate needs a timedelta of at least one millisecond as within=, got {within!r}", origin
            )
            within = MILLISECOND
        within_ms = within // MILLISECOND
        identity = serde = None
        if by is not None:
            identity = user_function(builder, "deduplicate", by, ("value",), ("key", "value"), origin=origin)
            serde = Schema(value=value_after(builder, known, identity, None, origin)).value_serde()
        spec = WindowSpec(
            name=builder.store_name(store, self._node, Deduplicate.kind, origin),
            codec=ValueCodec(encode=lambda _: b"", decode=lambda _: True),
            size_ms=within_ms,
            retention_ms=2 * within_ms,
            access="key",
        )
        node = self._then(
            Deduplicate,
            name,
            origin,
            known,
            spec=spec,
            within_ms=within_ms,
            identity=identity,
            identity_serde=serde,
        )
        return self._stream(node)

    def _process(
        self,
        operator: type[Process],
        kind: type[Processor[Any, Any, Any, Any]] | type[FixedKeyProcessor[Any, Any, Any]],
        processor: Any,
        stores: Iterable[str | StoreDeclaration[Any]],
        key: Any,
        value: Any,
        name: str | None,
    ) -> Node:
        origin, builder = caller_origin(), self._builder
        called = operator.kind.replace("-", "_")
        if not is_supplier(processor, kind):
            builder.problem(
                f"{called} needs a {kind.__name__}: its class, a function without arguments that makes one, or an "
                f"instance; got {processor!r}",
                origin,
            )
            return self._node
        if is_async(getattr(processor, "process", None)):
            builder.problem(
                f"{called} does not await process(record) of {processor!r}, which is async: asynchronous functions are "
                "for map_async",
                origin,
            )
        names: list[str] = []
        for store in (stores,) if isinstance(stores, str) else stores:
            if not isinstance(store, str):
                builder.add_store(store, origin)
            names.append(store if isinstance(store, str) else store.name)
        supplier = ProcessorSupplier(processor, kind)
        of_key, of_value = supplier.result_types()
        known = self._node.schema
        made = Schema(Part(of_key) if operator is Process else known.key, Part(of_value))
        return self._then(
            operator,
            name,
            origin,
            builder.schema(key, value, made, origin),
            supplier=supplier,
            store_names=tuple(dict.fromkeys(names)),
        )
