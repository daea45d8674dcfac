"""A user's own operators on a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from streams.dsl.stream_handle import StreamHandle
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.process import Process, ProcessValues
from streams.processors import FixedKeyProcessor, Processor
from streams.processors.supplier import ProcessorSupplier, is_supplier
from streams.serde import Serde
from streams.state import StoreDeclaration

if TYPE_CHECKING:
    from streams.dsl.kstream import KStream

K = TypeVar("K")
V = TypeVar("V")
K2 = TypeVar("K2", default=Any)
V2 = TypeVar("V2", default=Any)


class StreamProcessing(StreamHandle[K, V]):
    """`process`, `process_values`. Source: KIP-820."""

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
