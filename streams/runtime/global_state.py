"""The rows of all global tables and stores, and how far their topics have been read.

Rows and positions are committed in one batch, so a store that is opened again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from stores import Store, TaskState
from streams.compile.clock import NO_RECORD
from streams.compile.program import Message, RecordFailure
from streams.operators.global_table import GlobalTable
from streams.processors.global_processor import GlobalProcessor, GlobalProcessorContext

Place = tuple[str, int]

Skip = Callable[[RecordFailure, Message], None]
"""Decides about a record whose value does not decode, or on which a processor raises: returns to skip it, or raises."""


class Surroundings(Struct, frozen=True):
    """What the processors of global stores are told: `wall_clock` in ms since the epoch."""

    application_id: str
    wall_clock: Callable[[], int]


class GlobalState:
    """Owned by the thread that runs the tasks, which read the stores too."""

    def __init__(self, tables: Sequence[GlobalTable], state: TaskState, around: Surroundings) -> None:
        """`state`: opened with the stores of the tables; closed by `close`, and here if a processor does not start.

        Raises TopologyError: a processor does not start.
        """
        self._tables = {table.topic: table for table in tables}
        self._state = state
        forgotten = [name for name in state.metadata if self._is_volatile(name)]
        if forgotten:  # rows in memory are gone with the process that had read them
            state.commit({}, dict.fromkeys(forgotten))
        self._processors: dict[str, GlobalProcessor] = {}
        try:
            for table in tables:
                if table.supplier is not None:
                    self._processors[table.topic] = self._started(table, around)
        except BaseException:
            self.close()
            raise

    @property
    def stores(self) -> Mapping[str, Store]:
        """The stores by name."""
        return self._state.stores

    def reads(self, topic: str) -> bool:
        """Whether a global table or store is made of the topic."""
        return topic in self._tables

    def position(self, place: Place) -> int | None:
        """The offset to go on from, None where nothing was read yet."""
        row = self._state.metadata.get(_position_name(place))
        return None if row is None else int(row)

    def apply(
        self,
        place: Place,
        messages: Sequence[Message],
        position: int,
        skip: Skip,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes in records of one partition, and that everything before `position` is there. `settle` is called before
        that is written: what `skip` has sent has to be there too.

        Without a processor a null value deletes, and null keys are dropped. Raises what `skip` and `settle` raise;
        nothing is taken in then.
        """
        table = self._tables[place[0]]
        processor = self._processors.get(table.topic)
        try:
            if processor is None:
                self._put(table, messages, skip)
            else:
                self._process(table, processor, messages, skip)
            settle()
        except BaseException:
            self._state.discard()
            raise
        self._state.commit({}, {_position_name(place): b"%d" % position})

    def close(self) -> None:
        for processor in self._processors.values():
            with suppress(Exception):  # the user's; what else there is to close must be closed
                processor.close()
        self._processors.clear()
        self._state.close()

    def _put(self, table: GlobalTable, messages: Sequence[Message], skip: Skip) -> None:
        put = table.put_into(self._state.store(table.store.name))
        decode, keys = table.schema.value_serde().deserialize, table.schema.key_serde()
        for index, message in enumerate(messages):
            key, raw = message.key(), message.value()
            if key is None:
                continue
            try:
                row = None if raw is None else (decode(raw), message.timestamp()[1])
                if keys.bind is not None:  # as those who look rows up write it
                    key = keys.serialize(keys.deserialize(key))
            except Exception as error:
                skip(RecordFailure(index, table, "deserialization", error), message)
            else:
                put(key, row)

    def _process(self, table: GlobalTable, processor: GlobalProcessor, messages: Sequence[Message], skip: Skip) -> None:
        read_key, read = table.schema.key_serde().deserialize, table.schema.value_serde().deserialize
        for index, message in enumerate(messages):
            raw_key, raw = message.key(), message.value()
            try:
                value = None if raw is None else read(raw)
            except Exception as error:
                skip(RecordFailure(index, table, "deserialization", error), message)
                continue
            try:
                processor.process(None if raw_key is None else read_key(raw_key), value, message)
            except Exception as error:
                skip(RecordFailure(index, table, "processing", error), message)

    def _started(self, table: GlobalTable, around: Surroundings) -> GlobalProcessor:
        assert table.supplier is not None
        assert table.declaration is not None
        context = GlobalProcessorContext(table.label, around.application_id, around.wall_clock, NO_RECORD)
        store = self._state.store(table.store.name)
        return GlobalProcessor(table.supplier, table.declaration, store, context, table.origin)

    def _is_volatile(self, row: str) -> bool:
        """Whether a metadata row is the position of a topic whose rows are only in memory."""
        return any(
            not table.store.persistent and row.startswith(f"{POSITION}{topic}:")
            for topic, table in self._tables.items()
        )


POSITION = "global:"


def _position_name(place: Place) -> str:
    return f"{POSITION}{place[0]}:{place[1]}"
