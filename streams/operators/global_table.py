"""A topic that every worker reads as a whole (`app.global_table`, `app.add_global_store`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from stores import KeyValueSpec, StoreSpec
from streams.graph.node import Node
from streams.processors.supplier import ProcessorSupplier
from streams.serde import Serde
from streams.state import StoreDeclaration


class GlobalTable(Node, frozen=True, kw_only=True, eq=False):
    """Source: `GlobalKTable`. The last record of a key wins; a null value deletes; null keys are dropped.

    It belongs to no task: whoever runs the tasks keeps it up to date beside them, and gives them its store.
    """

    kind: ClassVar[str] = "global-table"

    topic: str
    spec: StoreSpec
    declaration: StoreDeclaration[Any] | None = None
    """Of a global store that its user declared; None: a table, values with timestamps."""
    supplier: ProcessorSupplier | None = None
    """Of the processor that fills the store; None: rows are put as they come."""

    @property
    def store(self) -> StoreSpec:
        return self.spec

    @property
    def store_key_serde(self) -> Serde:
        return self.schema.key_serde() if self.declaration is None else self.declaration.key

    def put_into(self, store: Any) -> Callable[[bytes, tuple[Any, int] | None], None]:
        """What puts a row, (value, timestamp) or None, under a serialised key."""
        assert isinstance(self.spec, KeyValueSpec)
        return store.put
