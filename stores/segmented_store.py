"""Time, expiry and restore of a store with retention, its rows being in segments.

Rows with time <= clock - retention are hidden from reads at once. They are deleted later, by whole segments: when all
times of a segment are hidden, the next `freeze` hands out a tombstone for each of its committed rows, and the commit
deletes them with one range deletion. The clock is committed too, so a store that is opened again hides what it hid
before.

    segments          | 0 ......... | 1 ......... | 2 ......... | 3 ....
                      deleted at     hidden ─────────┤ visible ─────────>
                      the next commit                 clock - retention

Source: `AbstractRocksDBSegmentedBytesStore`. Differs: unless the spec says `follows_puts`, the clock is told by the
operator and not taken from the newest put, so a watermark that holds the operator back keeps the store's rows as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from stores.changelog import ChangelogRecord, as_record
from stores.errors import ChangelogRecordError
from stores.row import TIMESTAMP
from stores.specs import SegmentedSpec
from stores.table import Writer
from stores.timed_keys import changelog_from_local, segment_prefix
from stores.timed_reader import TimedReader


class SegmentedStore:
    """What window and session stores have in common, however they keep their rows in memory."""

    def __init__(self, spec: SegmentedSpec, committed: TimedReader, time: int) -> None:
        self.name = spec.name
        self.retention_ms = spec.retention_ms
        self._follows_puts = spec.follows_puts
        self._reader = committed
        self._segments = committed.segments
        self._committed_time = self._time = self._frozen_time = time
        self._hidden = committed.hidden = time - spec.retention_ms
        self._frozen_expiry = 0

    @property
    def time(self) -> int:
        """The clock, ms; -1 at first."""
        return self._time

    def advance(self, time: int) -> None:
        """Moves the clock, never back: rows with time <= clock - retention_ms are hidden from now on."""
        if time > self._time:
            self._time = time
            self._hidden = time - self.retention_ms

    @property
    def frozen_time(self) -> int:
        """The clock that goes with the frozen rows, or with those of `restore`."""
        return self._frozen_time

    def restore(self, records: Sequence[tuple[bytes, bytes | None, int]], writer: Writer) -> None:
        """Writes changelog records as rows. Raises ChangelogRecordError."""
        put, delete, pack = writer.put, writer.delete, TIMESTAMP.pack
        time_of, segment_ms = self._segments.keys.time_of, self._segments.segment_ms
        key, newest = b"", self._time
        try:
            for key, value, timestamp in records:
                time = time_of(key)
                if time > newest:
                    newest = time
                local = segment_prefix(time // segment_ms) + key
                if value is None:
                    delete(local)
                else:
                    put(local, pack(timestamp) + value)
        except ValueError as error:
            raise ChangelogRecordError(self.name, key, str(error)) from error
        self._frozen_time = newest if self._follows_puts else self._committed_time

    def restored(self) -> None:
        """The restored rows are committed."""
        self._segments.measure()
        if self._follows_puts:
            self.advance(self._frozen_time)
            self._time_written()

    # For the kinds of stores

    def _freeze_time(self) -> int:
        """Decides what expires with the next commit: segments before the returned one."""
        self._frozen_time = self._time
        self._frozen_expiry = max(self._hidden + 1, 0) // self._segments.segment_ms
        return self._frozen_expiry

    def _tombstones(self) -> Iterator[ChangelogRecord]:
        """One for each committed row that expires."""
        if self._segments.first < self._frozen_expiry:
            for local in self._segments.expired_keys(self._frozen_expiry):
                yield as_record((changelog_from_local(local), None, self._frozen_time))

    def _expire(self, writer: Writer) -> None:
        """To come before the rows are written."""
        if self._segments.first < self._frozen_expiry:
            writer.delete_range(b"", segment_prefix(self._frozen_expiry))

    def _expired(self, written: Iterable[int]) -> None:
        """The commit is done; it wrote rows with these times."""
        self._segments.keep_bounds(written, self._frozen_expiry)
        self._time_written()

    def _time_written(self) -> None:
        self._committed_time = self._frozen_time
        self._reader.hidden = self._frozen_time - self.retention_ms

    def _take_time_back(self) -> None:
        self._time = self._committed_time
        self._hidden = self._time - self.retention_ms
