"""The global tables of a topology under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stores import KeyValueStore, MemoryTaskState, RocksDbResources, RocksDbTaskState
from streams.compile.program import Message, RecordFailure
from streams.graph.schema import Schema
from streams.operators.global_table import GlobalTable
from streams.runtime.failures import describe_failure
from streams.runtime.global_state import GlobalState
from streams.testing.message import DriverMessage


class DriverGlobalTables:
    """Takes each record of a global table's topic in at once.

    `directory`: where the rows live, None for memory.
    """

    def __init__(self, tables: Sequence[GlobalTable], directory: Path | None) -> None:
        specs = [table.spec for table in tables]
        state = (
            MemoryTaskState.open(specs)
            if directory is None
            else RocksDbTaskState.open(directory, specs, RocksDbResources())
        )
        self._tables = {table.topic: table for table in tables}
        self._state = GlobalState(tables, state)

    @property
    def stores(self) -> Mapping[str, KeyValueStore]:
        """The stores by name."""
        return self._state.stores

    def reads(self, topic: str) -> bool:
        """Whether a global table is made of the topic."""
        return self._state.reads(topic)

    def schema(self, topic: str) -> Schema | None:
        """How records of the topic are written, None if no global table is made of it."""
        table = self._tables.get(topic)
        return None if table is None else table.schema

    def rows(self, name: str) -> dict[Any, tuple[Any, int]] | None:
        """A store's rows, key -> (value, timestamp); None if there is no such store here."""
        for table in self._tables.values():
            if table.spec.name == name:
                read = table.schema.key_serde().deserialize
                with self.stores[name].all() as scan:
                    return {read(key): row for key, row in scan}
        return None

    def process(self, message: DriverMessage) -> None:
        """Takes one record in. Raises SerdeError."""
        place = message.topic(), message.partition()
        self._state.apply(place, [message], message.offset() + 1, _fail)

    def close(self) -> None:
        self._state.close()


def _fail(failure: RecordFailure, message: Message) -> None:
    raise describe_failure(failure, message) from failure.cause
