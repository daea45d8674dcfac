"""What the cleaner leaves of a batch.

A batch keeps its base offset, last offset and sequence numbers whatever goes, so readers and the check for duplicates
see the offsets they know. Batches of which everything stays are not rewritten.

A tombstone outlives the first cleaning that meets it by `delete.retention.ms`: that cleaning writes down in the batch's
header when it may go (the delete horizon), and one after that time drops it. So does a transaction's marker, from the
first cleaning on that meets no data of the transaction.

Source: `MemoryRecords.filterTo`, `Cleaner.shouldRetainRecord` of Apache Kafka; KIP-534.
"""

from __future__ import annotations

from broker.compaction.cleaning import Cleaning
from broker.compaction.offset_map import OffsetMap
from broker.log.aborted import AbortedTransaction
from broker.protocol.batches import (
    CODEC_MASK,
    CONTROL,
    DELETE_HORIZON,
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    LOG_APPEND_TIME,
    NO_TIMESTAMP,
    TRANSACTIONAL,
    BatchHeader,
    checksum,
    checksum_struct,
    header_struct,
    record_bytes,
)
from broker.protocol.compression import compress
from broker.protocol.record_spans import RecordSpan, record_spans
from broker.protocol.varint import write_varlong


class AbortedData:
    """Tells whether a batch belongs to an aborted transaction."""

    def __init__(self, transactions: tuple[AbortedTransaction, ...]) -> None:
        self.ranges: dict[int, list[tuple[int, int]]] = {}
        for transaction in transactions:
            ranges = self.ranges.setdefault(transaction.producer_id, [])
            ranges.append((transaction.first_offset, transaction.last_offset))

    def has(self, header: BatchHeader) -> bool:
        if not header.attributes & TRANSACTIONAL or header.attributes & CONTROL:
            return False
        offset = header.base_offset
        return any(first <= offset <= last for first, last in self.ranges.get(header.producer_id, ()))


class BatchFilter:
    """Counts the records it sees and keeps."""

    def __init__(self, cleaning: Cleaning, latest: OffsetMap, mapped_end: int) -> None:
        """`latest` holds the keys of the records from `cleaning.first_dirty` to before `mapped_end`."""
        self.latest = latest
        self.mapped_end = mapped_end
        self.aborted = AbortedData(cleaning.aborted)
        self.listed = frozenset(transaction.last_offset for transaction in cleaning.aborted)
        """Markers of which consumers are told to wait for them."""
        self.last_batches = frozenset(cleaning.last_batches)
        self.last_markers = frozenset(cleaning.last_markers)
        self.with_data: set[int] = set()
        """Producers of whose transactions data was met, and their markers not yet."""
        self.now_ms = cleaning.now_ms
        self.delete_retention_ms = cleaning.delete_retention_ms
        self.changed = False
        """Whether a batch was not kept as it is, since this was last set to False."""
        self.records_before = 0
        self.records_after = 0

    def apply(self, batch: bytes, header: BatchHeader) -> tuple[bytes | bytearray, int]:
        """The batch as it stays, and its largest timestamp (-1: no record is left). Empty bytes: it goes whole.

        Raises CorruptBatchError.
        """
        self.records_before += header.record_count
        if header.attributes & TRANSACTIONAL and not header.attributes & CONTROL:
            self.with_data.add(header.producer_id)
        if self.aborted.has(header):  # also behind the map's end: the index of aborted transactions goes
            return self.emptied(header)
        if header.base_offset >= self.mapped_end:
            self.records_after += header.record_count
            return batch, header.max_timestamp
        if header.attributes & CONTROL:
            return self.marker(batch, header)
        if not header.record_count:
            return (batch, NO_TIMESTAMP) if header.base_offset in self.last_batches else self.emptied(header)
        records = record_bytes(batch, header)
        spans = record_spans(records, header)
        kept = self.kept(spans, header)
        if not kept:
            return self.emptied(header)
        self.records_after += len(kept)
        sets_horizon = not header.attributes & DELETE_HORIZON and any(span.tombstone for span in kept)
        if len(kept) == len(spans) and not sets_horizon:
            return batch, header.max_timestamp
        self.changed = True
        return self.rewritten(header, records, kept, sets_horizon=sets_horizon)

    def marker(self, batch: bytes, header: BatchHeader) -> tuple[bytes | bytearray, int]:
        """A transaction's marker: it goes when its data is gone, and consumers that have seen some of that had time."""
        empty = header.producer_id not in self.with_data and header.base_offset not in self.listed
        self.with_data.discard(header.producer_id)
        if empty and (header.producer_id, header.producer_epoch) not in self.last_markers:
            if not header.attributes & DELETE_HORIZON:
                self.records_after += header.record_count
                self.changed = True
                records = record_bytes(batch, header)
                return self.rewritten(header, records, record_spans(records, header), sets_horizon=True)
            if self.now_ms >= header.base_timestamp:
                return self.emptied(header)
        self.records_after += header.record_count
        return batch, header.max_timestamp

    def kept(self, spans: list[RecordSpan], header: BatchHeader) -> list[RecordSpan]:
        """The records that stay: the latest of their keys, and not tombstones whose time is over."""
        base = header.base_offset
        horizon_passed = bool(header.attributes & DELETE_HORIZON) and self.now_ms >= header.base_timestamp
        get = self.latest.get
        kept: list[RecordSpan] = []
        for span in spans:
            offset = base + span.offset_delta
            # A key may be missing where the topic was not always compacted; such a record could never be replaced.
            if span.key is not None and offset >= get(span.key) and not (horizon_passed and span.tombstone):
                kept.append(span)
        return kept

    def rewritten(
        self, header: BatchHeader, records: bytes, kept: list[RecordSpan], *, sets_horizon: bool
    ) -> tuple[bytearray, int]:
        """The batch with the kept records only."""
        attributes, base_timestamp = header.attributes, header.base_timestamp
        if header.attributes & LOG_APPEND_TIME:
            max_timestamp = header.max_timestamp
        else:
            max_timestamp = base_timestamp + max(span.timestamp_delta for span in kept)
        if sets_horizon:
            # The base timestamp's place is taken: the records' deltas count from the horizon instead.
            horizon = self.now_ms + self.delete_retention_ms
            shift = base_timestamp - horizon
            body = b"".join([with_timestamp(records, span, span.timestamp_delta + shift) for span in kept])
            attributes, base_timestamp = attributes | DELETE_HORIZON, horizon
        else:
            body = b"".join([records[span.start : span.end] for span in kept])
        body = compress(attributes & CODEC_MASK, body)
        return build(header, attributes, base_timestamp, max_timestamp, len(kept), body), max_timestamp

    def emptied(self, header: BatchHeader) -> tuple[bytes | bytearray, int]:
        """Nothing, or, of a producer's last batch, its header without records."""
        self.changed = True
        if header.base_offset not in self.last_batches:
            return b"", NO_TIMESTAMP
        attributes = header.attributes & ~(CODEC_MASK | DELETE_HORIZON)
        return build(header, attributes, NO_TIMESTAMP, NO_TIMESTAMP, 0, b""), NO_TIMESTAMP


def with_timestamp(records: bytes, span: RecordSpan, delta: int) -> bytes:
    """The record with another timestamp delta."""
    body = b"\0" + write_varlong(delta) + records[span.rest : span.end]
    return write_varlong(len(body)) + body


def build(
    header: BatchHeader, attributes: int, base_timestamp: int, max_timestamp: int, count: int, body: bytes
) -> bytearray:
    """A batch with the offsets and the producer of another one."""
    batch = bytearray(HEADER_SIZE) + body
    header_struct.pack_into(
        batch, 0, header.base_offset, len(batch) - LENGTH_OVERHEAD, header.leader_epoch, 2, 0, attributes,
        header.last_offset_delta, base_timestamp, max_timestamp, header.producer_id, header.producer_epoch,
        header.base_sequence, count,
    )  # fmt: skip
    checksum_struct.pack_into(batch, 17, checksum(batch))
    return batch
