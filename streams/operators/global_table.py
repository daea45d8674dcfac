"""A topic that every worker reads as a whole (`app.global_table`), for joins by any key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stores import KeyValueSpec
from streams.graph.node import Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GlobalTable(Node):
    """Source: `GlobalKTable`. The last record of a key wins; a null value deletes; null keys are dropped.

    It belongs to no task: whoever runs the tasks keeps it up to date beside them, and gives them its store.
    """

    kind: ClassVar[str] = "global-table"

    topic: str
    spec: KeyValueSpec

    @property
    def store(self) -> KeyValueSpec:
        return self.spec
