"""The rows of all global tables, and how far their topics have been read.

Rows and positions are committed in one batch, so a store that is opened again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stores import KeyValueStore, TaskState
from streams.compile.program import Message, RecordFailure
from streams.operators.global_table import GlobalTable

Place = tuple[str, int]

Skip = Callable[[RecordFailure, Message], None]
"""Decides about a record whose value does not decode: returns to skip it, or raises."""


class GlobalState:
    """Owned by the thread that runs the tasks, which read the stores too."""

    def __init__(self, tables: Sequence[GlobalTable], state: TaskState) -> None:
        """`state`: opened with the stores of the tables; closed by `close`."""
        self._tables = {table.topic: table for table in tables}
        self._state = state

    @property
    def stores(self) -> Mapping[str, KeyValueStore]:
        """The tables' stores by name."""
        return {name: store for name, store in self._state.stores.items() if isinstance(store, KeyValueStore)}

    def reads(self, topic: str) -> bool:
        """Whether a global table is made of the topic."""
        return topic in self._tables

    def position(self, place: Place) -> int | None:
        """The offset to go on from, None where nothing was read yet."""
        row = self._state.metadata.get(_position_name(place))
        return None if row is None else int(row)

    def apply(self, place: Place, messages: Sequence[Message], position: int, skip: Skip) -> None:
        """Takes in records of one partition, and that everything before `position` is there.

        A null value deletes; null keys are dropped. Raises what `skip` raises; nothing is taken in then.
        """
        table = self._tables[place[0]]
        store = self.stores[table.spec.name]
        decode = table.schema.value_serde().deserialize
        for index, message in enumerate(messages):
            key, raw = message.key(), message.value()
            if key is None:
                continue
            if raw is None:
                store.put(key, None)
                continue
            try:
                value = decode(raw)
            except Exception as error:
                try:
                    skip(RecordFailure(index, table, "deserialization", error), message)
                except BaseException:
                    self._state.discard()
                    raise
            else:
                store.put(key, (value, message.timestamp()[1]))
        self._state.commit({}, {_position_name(place): b"%d" % position})

    def close(self) -> None:
        self._state.close()


def _position_name(place: Place) -> str:
    return f"global:{place[0]}:{place[1]}"
