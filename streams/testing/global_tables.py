"""The global tables of a topology under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stores import MemoryTaskState, RocksDbResources, RocksDbTaskState, Store
from streams.compile.program import Message, RecordFailure
from streams.graph.schema import Schema
from streams.observe import Counters
from streams.operators.global_table import GlobalTable
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.global_state import GlobalState, Surroundings
from streams.testing.message import DriverMessage


class DriverGlobalTables:
    """Takes each record of a global table's topic in at once.

    What was taken in lasts, as a worker's copy does: a crash of the tasks takes nothing back.
    """

    def __init__(
        self, tables: Sequence[GlobalTable], directory: Path | None, failures: FailurePolicy, around: Surroundings
    ) -> None:
        """`directory`: where the rows live, None for memory."""
        specs = [table.spec for table in tables]
        state = (
            MemoryTaskState.open(specs)
            if directory is None
            else RocksDbTaskState.open(directory, specs, RocksDbResources())
        )
        self._failures = failures
        self.counters = Counters()
        self._tables = {table.topic: table for table in tables}
        self._state = GlobalState(tables, state, around)

    @property
    def stores(self) -> Mapping[str, Store]:
        """The stores by name."""
        return self._state.stores

    def reads(self, topic: str) -> bool:
        """Whether a global table is made of the topic."""
        return self._state.reads(topic)

    def schema(self, topic: str) -> Schema | None:
        """How records of the topic are written, None if no global table is made of it."""
        table = self._tables.get(topic)
        return None if table is None else table.schema

    def process(self, message: DriverMessage) -> None:
        """Takes one record in. Raises SerdeError where it does not decode and is not to be skipped."""
        place = message.topic(), message.partition()
        self._state.apply(place, [message], message.offset() + 1, self._skip)

    def close(self) -> None:
        self._state.close()

    def _skip(self, failure: RecordFailure, message: Message) -> None:
        self._failures.skip(failure, message, None, self.counters)
