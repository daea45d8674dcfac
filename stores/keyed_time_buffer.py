"""The time buffer with one value for each key, as suppress needs it: a later value replaces the one that waits.

It keeps its place: the key comes out when its first value was to. An index, key -> time, goes with the entries.

Source: `InMemoryTimeOrderedKeyValueChangeBuffer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stores.buffer_keys import HEAD, HEAD_BYTES, INDEX, TIME
from stores.changelog import ChangelogRecord
from stores.clean import CleanRows
from stores.row import MISSING
from stores.specs import BufferSpec
from stores.table import Table, Writer
from stores.time_buffer import UNKNOWN, TimeBuffer, Totals, Values


class KeyedTimeBuffer(TimeBuffer):
    """Times are ms, >= 0. It has one lane. Owned by the thread that runs the task; others use `reader()`."""

    def __init__(self, spec: BufferSpec, table: Table, clean: CleanRows[bytes, int]) -> None:
        super().__init__(spec, table, clean)
        self._recent = clean.recent.get
        self._times: dict[bytes, int | None] = {}
        self._frozen_times: dict[bytes, int | None] = {}

    def put(self, key: bytes, value: bytes, time: int) -> int:
        """Sets the value that waits under a key; the time it waits for, which is `time` only if there was none."""
        waiting = self._times.get(key)
        if waiting is not None:  # mostly it has changed since the last commit already: then only the value is another
            local = HEAD.pack(0, waiting) + key
            before = self.dirty.get(local)
            if before is not None:
                grown = len(value) - len(before[0])
                if not grown or self._totals is not UNKNOWN:
                    self.dirty[local] = (value,)
                    if grown:
                        count, size = self._totals
                        self._totals = Totals(count, size + grown)
                    return waiting
        waiting = self.time_of(key)
        if waiting is None:
            self._set(self._local(time, key, 0), None, (value,), 0, time)
            self._times[key] = time
            return time
        local = HEAD.pack(0, waiting) + key
        self._set(local, self._values(local, 0, waiting), (value,), 0, waiting)
        return waiting

    def get(self, key: bytes) -> bytes | None:
        """The value that waits under a key, None if there is none."""
        time = self.time_of(key)
        if time is None:
            return None
        values = self._values(HEAD.pack(0, time) + key, 0, time)
        return values[0] if values else None

    def time_of(self, key: bytes) -> int | None:
        """The time for which a key waits, None if it does not."""
        time = self._times.get(key, MISSING)
        if time is not MISSING:
            return time
        time = self._recent(key, MISSING)
        if time is MISSING:
            time = self.clean.revive(key)
        if time is MISSING:
            row = self._table.get(INDEX + key)
            time = None if row is None else TIME.unpack(row)[0]
            self.clean.insert(key, time, TIME.size)
        return time

    def add(self, time: int, key: bytes, value: bytes, lane: int = 0) -> None:
        """As `put`."""
        self.put(key, value, time)

    def freeze(self) -> Iterator[ChangelogRecord]:
        self._frozen_times = self._times.copy()
        return super().freeze()

    def write(self, writer: Writer) -> None:
        super().write(writer)
        put, delete = writer.put, writer.delete
        for key, time in self._frozen_times.items():
            if time is None:
                delete(INDEX + key)
            else:
                put(INDEX + key, TIME.pack(time))

    def written(self, encoded_bytes: int) -> None:
        committed = self._frozen_times
        later = {key: time for key, time in self._times.items() if committed.get(key, MISSING) != time}
        super().written(encoded_bytes)
        self._times = later
        self.clean.absorb(committed, len(committed) * TIME.size)

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        super().restore(records, writer)
        times: dict[bytes, bytes | None] = {}
        for local, value, _ in records:
            key, time = local[HEAD_BYTES:], TIME.pack(HEAD.unpack_from(local)[1])
            if value is not None:
                times[key] = time
            # A key that moved to another time may have its old entry's tombstone behind the new entry.
            elif (times[key] if key in times else self._table.get(INDEX + key)) == time:
                times[key] = None
        put, delete = writer.put, writer.delete
        for key, row in times.items():
            if row is None:
                delete(INDEX + key)
            else:
                put(INDEX + key, row)

    def _drop(self, local: bytes, values: Values) -> None:
        super()._drop(local, values)
        self._times[local[HEAD_BYTES:]] = None

    def _forget_dirty(self) -> None:
        super()._forget_dirty()
        self._times = {}
        self._frozen_times = {}
