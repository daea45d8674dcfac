"""What one pass of the cleaner is told, and what it tells back. Both cross a process boundary as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from broker.log.aborted import AbortedTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """One pass over a log. Times in ms, sizes in bytes."""

    directory: str
    output: str
    """Directory for cleaned segments; of this pass alone, so that a cleaner whose broker died is in nobody's way."""
    segments: tuple[tuple[int, int], ...]
    """(base offset, size) of the segments to clean, from the log's first on; all sealed, all transactions decided."""
    end_offset: int
    """Base offset of the segment behind them."""
    first_dirty: int
    """What lies before was cleaned already: of each key there is one record at most."""
    aborted: tuple[AbortedTransaction, ...] = ()
    last_batches: tuple[int, ...] = ()
    """Base offsets of the batches that stay, if need be empty: the last ones of known producers, without which a
    batch that is sent again would not be recognised."""
    last_markers: tuple[tuple[int, int], ...] = ()
    """(producer id, epoch) of known producers that have written nothing in their epoch: their markers stay, without
    which an older epoch would not be refused."""
    now_ms: int
    delete_retention_ms: int
    segment_bytes: int
    index_interval_bytes: int
    map_bytes: int
    durable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A cleaned segment is ready in the output directory, to take the place of some of the log's.

    The cleaner waits: what it has open of the old segments is closed when it goes on, so that removing them costs the
    broker nothing.
    """

    base_offset: int
    count: int
    """How many segments it replaces, from the one with the same base offset on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The pass is over."""

    first_dirty: int
    """Where the next one has to begin."""
    bytes_before: int
    bytes_after: int
    records_before: int
    records_after: int
