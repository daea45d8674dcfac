"""The versioned store (KIP-889): the versions of each key by time, as long as they are in the history.

A version is valid from its timestamp until the next one begins. Its row has the end as its time, so segments expire by
when a version was last valid; the latest one has no end and LARGEST_TIME for a time, and expires never:

    time           rank  row                          meaning
    end            0     (value, timestamp)           valid for timestamp <= t < end
    LARGEST_TIME   0     (value, timestamp)           the latest
    timestamp      1     (None, timestamp)            a deletion: the version before ends here

Versions do not overlap, so the latest one also says that there is no row between its timestamp and LARGEST_TIME; a put
in order therefore costs one lookup by key and no scan. A deletion says when a version that is put before it ends; it
may stay when a value is put at its time, which begins there as well.

The changelog carries what was put: key, value or None, timestamp. Of several puts of one key the latest version comes
last, repeated if need be, so that compaction never drops it for one that came out of order.

Source: `RocksDBVersionedStore`. Differs: the repetition in the changelog.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from msgspec.structs import replace

from stores.changelog import ChangelogRecord, as_record
from stores.clean import CleanRows
from stores.codec import ValueCodec
from stores.row import MISSING, Row
from stores.scan import Change, Scan
from stores.specs import VersionedSpec
from stores.table import Writer
from stores.timed_keys import LARGEST_TIME
from stores.timeline import NOTHING_KNOWN, Timeline
from stores.timeline_store import TimelineStore
from stores.version_segments import VersionSegments
from stores.versioned_reader import (
    LATEST,
    Version,
    VersionedReader,
    valid_at,
    valid_between,
    versions_codec,
)

REJECTED: Final = -(2**63)
"""What `put` returns for a version that is out of the history."""

RESTORE_BYTES: Final = 64 * 2**20
"""How much of what is there may be kept in memory while a batch is restored."""

AS_IT_IS: Final = ValueCodec(encode=bytes, decode=bytes)


class VersionedStore(TimelineStore):
    """Versions by key and timestamp in ms. Owned by the thread that runs the task; others use `reader()`."""

    def __init__(
        self, spec: VersionedSpec, segments: VersionSegments, clean: CleanRows[bytes, Timeline], time: int
    ) -> None:
        self._committed = VersionedReader(spec, segments)
        super().__init__(replace(spec, codec=versions_codec(spec.codec)), self._committed, clean, time)
        self.spec = spec
        self._versions = segments
        self._puts: dict[tuple[bytes, int], Any] = {}
        self._frozen_puts: dict[tuple[bytes, int], Any] = {}

    def get(self, key: bytes) -> Row | None:
        """The latest (value, timestamp), None if there is none or it is a deletion."""
        return latest(self.timeline(key, LARGEST_TIME))

    def as_of(self, key: bytes, time: int) -> Row | None:
        """(value, timestamp) of the version valid at `time`. Beyond the history only the latest version answers."""
        row = self.get(key)
        if row is not None and row[1] <= time:
            return row
        return None if time < self._hidden else valid_at(self.timeline(key, min(time + 1, LARGEST_TIME)).rows, time)

    def versions(self, key: bytes, time_from: int, time_to: int, *, reverse: bool = False) -> Scan[Version]:
        """The versions of a key that were valid at some time from `time_from` to `time_to`, both inclusive, by time."""
        line = self.timeline(key, min(max(time_from, self._hidden) + 1, LARGEST_TIME))
        return valid_between(line.rows, time_from, time_to, reverse=reverse)

    def put(self, key: bytes, value: Any, timestamp: int) -> int:
        """Adds a version, or replaces that of the same timestamp; None deletes from then on.

        Returns the time at which the version ends: -1 if it is the latest, -9223372036854775808 if it was rejected for
        timestamp < clock - history_ms.
        """
        if type(key) is not bytes:
            raise TypeError(f"store {self.name!r}: keys are bytes, got {type(key).__name__}: serialise the key first")
        if not 0 <= timestamp < LARGEST_TIME:
            raise ValueError(
                f"store {self.name!r}: timestamp {timestamp} is negative or too large; it is ms, from 1970"
            )
        if timestamp < self._hidden:
            return REJECTED
        if timestamp > self._time and self._follows_puts:
            self.advance(timestamp)
        self._puts[key, timestamp] = value
        return self._place(key, value, timestamp)

    def delete(self, key: bytes, timestamp: int) -> Row | None:
        """Puts None; returns the version that was valid at `timestamp`, None also where the deletion was rejected."""
        row = None if timestamp < self._hidden else self.as_of(key, timestamp)
        self.put(key, None, timestamp)
        return row

    def all(self, *, reverse: bool = False) -> Scan[tuple[bytes, Row]]:
        """The latest version of every key that has one, in byte order of keys."""
        local_key = self._segments.local_key
        changes: list[Change] = [
            (local_key(key, time, rank), row) for (key, time, rank), row in self.dirty.items() if time == LARGEST_TIME
        ]
        changes.sort(key=itemgetter(0), reverse=reverse)
        return self._committed.latest(changes, reverse=reverse)

    def reader(self) -> VersionedReader:
        """Committed rows only, for any thread."""
        return self._committed

    # For the task state

    def freeze(self) -> Iterator[ChangelogRecord]:
        """Encodes what was put since the last commit, and the rows that follow from it, which the next one writes."""
        super().freeze()
        suffix_bytes = self._segments.keys.suffix_bytes
        encoded = {
            (record.key[:-suffix_bytes], record.timestamp): record.value[1:]
            for _, record in self._frozen
            if record.value
        }
        self._frozen_puts = self._puts.copy()
        by_key: dict[bytes, dict[int, Any]] = {}
        for (key, timestamp), value in self._frozen_puts.items():
            by_key.setdefault(key, {})[timestamp] = value
        encode = self.spec.codec.encode
        records: list[ChangelogRecord] = []
        for key, puts in by_key.items():
            newest = self._newest(key, max(puts))
            if newest[1] > max(puts):
                puts[newest[1]] = newest[0]
            for timestamp in sorted(puts):
                value = None
                if puts[timestamp] is not None:
                    value = encoded.get((key, timestamp)) or encode(puts[timestamp])
                records.append(as_record((key, value, timestamp)))
        return iter(records)

    def written(self, encoded_bytes: int) -> None:
        committed = self._frozen_puts
        later = {put: value for put, value in self._puts.items() if committed.get(put, MISSING) is not value}
        super().written(encoded_bytes)
        self._puts = later

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        """Puts changelog records, none of them too late. Values stay the bytes they are."""
        clean: CleanRows[bytes, Timeline] = CleanRows()
        clean.set_budget(RESTORE_BYTES)
        raw = VersionedStore(replace(self.spec, codec=AS_IT_IS), self._versions, clean, self._time)
        for key, value, timestamp in records:
            if raw._follows_puts:
                raw.advance(timestamp)
            raw._place(key, value, timestamp)
        raw.write(writer)
        self._frozen_time = raw._time

    def _newest(self, key: bytes, put: int) -> Row:
        """The latest version or deletion of a key that has one at `put`, or had."""
        rows = self.timeline(key, LARGEST_TIME).rows or self.timeline(key, put).rows
        return rows[-1][2] if rows else (None, put)

    def _place(self, key: bytes, value: Any, timestamp: int) -> int:
        """Puts a version where it belongs; the time at which it ends."""
        line = self.timeline(key, LARGEST_TIME)
        newest = latest(line)
        if newest is None or newest[1] > timestamp:
            line = self.timeline(key, timestamp)
        following = next(iter(line.between(timestamp + 1, LARGEST_TIME)), None)
        end, slot = LARGEST_TIME, False
        if following is not None:
            end, _, row = following
            slot = row[1] <= timestamp  # `following` is valid at `timestamp`, so its end is the end of what is put
            if not slot:
                end = row[1]
            elif row[1] < timestamp:
                self.set_row(key, timestamp, 0, row)
        if value is not None:
            self.set_row(key, end, 0, (value, timestamp))
        else:
            if slot:
                self.remove_row(key, end, 0)
            self.set_row(key, timestamp, 1, (None, timestamp))
        return LATEST if end == LARGEST_TIME else end

    def _unknown_since(self) -> int:
        return NOTHING_KNOWN  # the latest versions have no time to go by

    def _extend(self, key: bytes, line: Timeline, first: int) -> None:
        if line.since > LARGEST_TIME:
            row = self._committed.get(key)
            if row is None:
                line.extend([], LARGEST_TIME)
            else:
                line.extend([(LARGEST_TIME, 0, row)], row[1] + 1)
        if line.since > first:
            super()._extend(key, line, first)
        else:
            self._keep_clean(key, line)

    def _tombstones(self) -> Iterator[ChangelogRecord]:
        """None: versions that leave the history are not in the changelog by themselves."""
        return iter(())

    def _forget_dirty(self) -> None:
        super()._forget_dirty()
        self._puts = {}
        self._frozen_puts = {}


def latest(line: Timeline) -> Row | None:
    """The row of the latest version."""
    rows = line.rows
    return rows[-1][2] if rows and rows[-1][0] == LARGEST_TIME else None
