"""The time buffer: values that wait for their time, each under (lane, time, key).

What waits comes out in order of time, then key bytes, then arrival. Lanes are queues of their own in one store, as the
two sides of an outer join need them, whose rows fall due at different times.

    pop ──> the earlier of   heap: table keys of dirty entries
                             front: the next committed entries, a chunk of the table

Popped rows leave tombstones at the front of the table, which a scan from the start would step over one by one again
and again; so it starts at the earliest time there is. An entry that comes and goes between two commits leaves nothing.

Values are bytes: nobody can change what waits by changing an object in place.

Source: `InMemoryTimeOrderedKeyValueChangeBuffer`, `RocksDBTimeOrderedKeyValueBuffer` and, for outer joins,
`ListValueStore`, in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice
from operator import itemgetter
from typing import Final, NamedTuple

from stores.buffer_keys import (
    HEAD,
    HEAD_BYTES,
    TOTALS,
    TOTALS_KEY,
    pack_values,
    split_entry,
    unpack_values,
)
from stores.buffer_reader import BufferReader, Waiting
from stores.changelog import ChangelogRecord, as_record
from stores.clean import OVERHEAD_BYTES, CleanRows
from stores.errors import ChangelogRecordError
from stores.row import MISSING
from stores.scan import Scan
from stores.specs import BufferSpec
from stores.table import Pair, Table, Writer
from stores.timed_keys import LARGEST_TIME

Values = tuple[bytes, ...]

NEVER: Final = LARGEST_TIME + 1
CHUNK: Final = 256


class Totals(NamedTuple):
    """How many values a buffer holds, and the bytes of them and their keys."""

    values: int
    size_bytes: int


UNKNOWN: Final = Totals(-1, 0)


class Lane:
    """One queue. `earliest`: no entry has a smaller time; `newest`: no committed entry has a larger one."""

    __slots__ = ("earliest", "front", "heap", "newest", "position", "read_all")

    def __init__(self) -> None:
        self.earliest: int = 0
        self.newest: int = -1
        self.heap: list[bytes] = []
        self.forget_front()

    def forget_front(self) -> None:
        self.front: list[Pair] = []
        self.position = 0
        self.read_all = False


class TimeBuffer:
    """Times are ms, >= 0. Owned by the thread that runs the task; others use `reader()`.

    `dirty`: table key -> values written since the last commit, None for an entry that is gone.
    """

    def __init__(self, spec: BufferSpec, table: Table, clean: CleanRows[bytes, int]) -> None:
        self.spec = spec
        self.name = spec.name
        self.clean = clean
        self.dirty: dict[bytes, Values | None] = {}
        self._table = table
        self._committed = BufferReader(spec, table)
        self._lanes: list[Lane] = [Lane() for _ in range(spec.lanes)]
        self._new: set[bytes] = set()  # dirty entries of which the table knows nothing
        self._frozen_rows: dict[bytes, Values | None] | None = None
        self._frozen: Sequence[ChangelogRecord] = ()
        self._totals = self._frozen_totals = self._committed_totals = self._read_totals()
        self._measure()

    # Entries

    def add(self, time: int, key: bytes, value: bytes, lane: int = 0) -> None:
        """Adds a value behind those that wait under the same time and key."""
        local = self._local(time, key, lane)
        present = self._values(local, lane, time)
        self._set(local, present, (*(present or ()), value), lane, time)

    def values(self, time: int, key: bytes, lane: int = 0) -> Values:
        """What waits under this time and key, in order of arrival."""
        return self._values(self._local(time, key, lane), lane, time) or ()

    def remove(self, time: int, key: bytes, lane: int = 0) -> Values:
        """Takes out what waits under this time and key."""
        local = self._local(time, key, lane)
        values = self._values(local, lane, time)
        if not values:
            return ()
        self._drop(local, values)
        return values

    def pop(self, through: int, lane: int = 0) -> list[Waiting]:
        """Takes out all that waits for a time <= `through`: by time, then key. With nothing due, one comparison."""
        popped: list[Waiting] = []
        while (first := self.take(through, lane)) is not None:
            popped.append(first)
        return popped

    def take(self, through: int, lane: int = 0) -> Waiting | None:
        """Takes out the first that waits, if it waits for a time <= `through`; else None."""
        if self._lanes[lane].earliest > through:
            return None
        first = self._first(lane)
        if first is None or first.time > through:
            return None
        self._drop(HEAD.pack(lane, first.time) + first.key, first.values)
        return first

    def first(self, lane: int = 0) -> Waiting | None:
        """What waits for the earliest time, the smallest key of several; None if nothing waits."""
        return None if self._lanes[lane].earliest == NEVER else self._first(lane)

    def earliest(self, lane: int = 0) -> int | None:
        """The earliest time something waits for, None if nothing waits."""
        first = self.first(lane)
        return None if first is None else first.time

    @property
    def count(self) -> int:
        """How many values wait."""
        return self._known_totals().values

    @property
    def size_bytes(self) -> int:
        """The bytes of all values and their keys."""
        return self._known_totals().size_bytes

    def all(self, *, reverse: bool = False) -> Scan[Waiting]:
        """All that waits: by lane, then time, then key. Unmoved by what the loop does."""
        changes = sorted(self.dirty.items(), key=itemgetter(0), reverse=reverse)
        return self._committed.scan(changes, reverse=reverse)

    def approximate_entries(self) -> int:
        """How many values wait."""
        return self.count

    def reader(self) -> BufferReader:
        """What waits as of the last commit, for any thread."""
        return self._committed

    # For the task state

    def freeze(self) -> Iterator[ChangelogRecord]:
        """Encodes the dirty entries; the next commit writes these, and what is written from now on stays dirty."""
        rows = self.dirty.copy()
        self._frozen = [
            as_record((local, None if values is None else pack_values(values), HEAD.unpack_from(local)[1]))
            for local, values in rows.items()
        ]
        self._new.clear()
        self._frozen_rows, self._frozen_totals = rows, self._totals
        return iter(self._frozen)

    @property
    def is_frozen(self) -> bool:
        """Whether the next commit writes what an earlier `freeze` gave out."""
        return self._frozen_rows is not None

    def thaw(self) -> None:
        """Forgets the frozen entries; they are dirty as before."""
        self._frozen_rows, self._frozen = None, ()

    def write(self, writer: Writer) -> None:
        """Writes the frozen entries, frozen now unless `freeze` was called before."""
        if self._frozen_rows is None:
            self.freeze()
        put, delete = writer.put, writer.delete
        for local, row, _ in self._frozen:
            if row is None:
                delete(local)
            else:
                put(local, row)
        if self._frozen_totals != self._committed_totals:
            put(TOTALS_KEY, TOTALS.pack(*self._frozen_totals))

    @property
    def frozen_time(self) -> None:
        """It has no clock."""
        return None

    def written(self, encoded_bytes: int) -> None:
        """The frozen entries are committed."""
        committed = self._frozen_rows or {}
        later = {local: values for local, values in self.dirty.items() if committed.get(local, MISSING) is not values}
        new = self._new
        for local, values in committed.items():
            if values is not None:
                queue, time = self._lanes[local[0]], HEAD.unpack_from(local)[1]
                if time > queue.newest:
                    queue.newest = time
        totals, self._committed_totals = self._totals, self._frozen_totals
        self._forget_dirty()
        self._totals = totals
        self.dirty.update(later)
        self._new = new
        for local, values in later.items():
            if values is not None:
                self._lanes[local[0]].heap.append(local)
        for queue in self._lanes:
            heapify(queue.heap)

    def discard(self) -> None:
        self._forget_dirty()
        self._new = set()
        self.clean.clear()
        for queue in self._lanes:
            queue.earliest = 0

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        """Writes changelog records as rows. Raises ChangelogRecordError."""
        put, delete = writer.put, writer.delete
        key = b""
        try:
            for key, value, _ in records:
                lane, _, _ = split_entry(key)
                if lane >= self.spec.lanes:
                    raise ValueError(f"lane {lane} of {self.spec.lanes}")
                if value is None:
                    delete(key)
                else:
                    unpack_values(value)
                    put(key, value)
        except ValueError as error:
            raise ChangelogRecordError(self.name, key, str(error)) from error
        delete(TOTALS_KEY)

    def restored(self) -> None:
        self._totals = self._frozen_totals = self._committed_totals = UNKNOWN
        self._lanes = [Lane() for _ in self._lanes]
        self._measure()
        self.clean.clear()

    def dirty_rows(self) -> int:
        return len(self.dirty)

    def dirty_bytes(self) -> int:
        """Estimated memory of the dirty entries."""
        count, size = self._totals
        return len(self.dirty) * (OVERHEAD_BYTES + size // count) if count > 0 else len(self.dirty) * OVERHEAD_BYTES

    # Inside

    def _local(self, time: int, key: bytes, lane: int) -> bytes:
        if not 0 <= time <= LARGEST_TIME or not 0 <= lane < len(self._lanes):
            raise ValueError(
                f"store {self.name!r}: time {time}, lane {lane}: times are ms since the epoch, not negative, and lanes "
                f"are below {len(self._lanes)}"
            )
        return HEAD.pack(lane, time) + key

    def _values(self, local: bytes, lane: int, time: int) -> Values | None:
        """The values of an entry."""
        values = self.dirty.get(local, MISSING)
        if values is not MISSING:
            return values
        if time > self._lanes[lane].newest:
            return None
        row = self._table.get(local)
        return None if row is None else self._committed.unpack(local, row)

    def _set(self, local: bytes, present: Values | None, values: Values, lane: int, time: int) -> None:
        """Puts `values` in the place of `present`."""
        self._account(local, present, values)
        dirty = self.dirty
        if dirty.get(local) is None:  # else it is in the heap
            if present is None and local not in dirty:
                self._new.add(local)
            queue = self._lanes[lane]
            heappush(queue.heap, local)
            if time < queue.earliest:
                queue.earliest = time
        dirty[local] = values

    def _drop(self, local: bytes, values: Values) -> None:
        """Deletes an entry, whose values these are."""
        self._account(local, values, ())
        if local in self._new:
            self._new.remove(local)
            del self.dirty[local]
        else:
            self.dirty[local] = None

    def _first(self, lane: int) -> Waiting | None:
        """The first entry; sets `earliest` to its time."""
        queue, dirty = self._lanes[lane], self.dirty
        heap = queue.heap
        while heap and dirty.get(heap[0]) is None:
            heappop(heap)
        committed = self._front(lane)
        if heap and (committed is None or heap[0] <= committed[0]):
            local = heap[0]
            values = dirty[local] or ()
        elif committed is not None:
            local = committed[0]
            values = self._committed.unpack(*committed)
        else:
            queue.earliest = NEVER
            return None
        queue.earliest = HEAD.unpack_from(local)[1]
        return Waiting(queue.earliest, lane, local[HEAD_BYTES:], values)

    def _front(self, lane: int) -> Pair | None:
        """The first committed entry that is not dirty."""
        queue = self._lanes[lane]
        while True:
            front = queue.front
            while queue.position < len(front):
                pair = front[queue.position]
                if pair[0] not in self.dirty:
                    return pair
                queue.position += 1
            if queue.read_all:
                return None
            lower = front[-1][0] + b"\x00" if front else HEAD.pack(lane, queue.earliest)
            cursor = self._table.scan(lower, bytes([lane + 1]))
            queue.front, queue.position = list(islice(cursor, CHUNK)), 0
            queue.read_all = len(queue.front) < CHUNK
            cursor.close()

    def _account(self, local: bytes, before: Values | None, after: Values) -> None:
        """Moves the totals when the values of an entry change."""
        count, size = self._known_totals()
        more = len(after) - len(before or ())
        size += more * (len(local) - HEAD_BYTES) + sum(map(len, after)) - sum(map(len, before or ()))
        self._totals = Totals(count + more, size)

    def _known_totals(self) -> Totals:
        """The totals; after a restore they are counted once."""
        if self._totals is UNKNOWN:
            count = size = 0
            for _, _, key, values in self._committed.all():
                count += len(values)
                size += sum(map(len, values)) + len(key) * len(values)
            self._totals = self._frozen_totals = self._committed_totals = Totals(count, size)
        return self._totals

    def _measure(self) -> None:
        """Looks up the newest entry of each lane."""
        for lane, queue in enumerate(self._lanes):
            cursor = self._table.scan(bytes([lane]), bytes([lane + 1]), reverse=True)
            newest = next(iter(cursor), None)
            cursor.close()
            queue.newest = -1 if newest is None else HEAD.unpack_from(newest[0])[1]

    def _read_totals(self) -> Totals:
        row = self._table.get(TOTALS_KEY)
        if row is not None:
            return Totals(*TOTALS.unpack(row))
        with self._committed.all() as entries:
            return UNKNOWN if next(entries, None) else Totals(0, 0)

    def _forget_dirty(self) -> None:
        self.dirty.clear()
        self.thaw()
        self._totals = self._committed_totals
        for queue in self._lanes:
            queue.heap.clear()
            queue.forget_front()
