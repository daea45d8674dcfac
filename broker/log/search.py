"""Finding an offset by time."""

from __future__ import annotations

from broker.log.partition import PartitionLog
from broker.protocol.batches import LENGTH_OVERHEAD, decode_batch


def offset_for_timestamp(log: PartitionLog, timestamp: int) -> tuple[int, int] | None:
    """(offset, timestamp) of the first visible record whose timestamp is at or above, or None. Raises OSError."""
    for segment in log.segments:
        if segment.max_timestamp < timestamp:
            continue
        relative = segment.time_index.offset_before(timestamp)
        for position, header in segment.headers(segment.offset_index.position_at_or_before(relative)):
            if header.base_offset >= log.high_watermark:
                return None
            if header.max_timestamp < timestamp:
                continue
            for record in decode_batch(segment.read(position, header.length + LENGTH_OVERHEAD)):
                if record.timestamp >= timestamp and record.offset >= log.start_offset:
                    return record.offset, record.timestamp
    return None


def offset_of_max_timestamp(log: PartitionLog) -> tuple[int, int] | None:
    """(offset, timestamp) of the first record among those with the largest timestamp, or None in an empty log."""
    largest = max((segment.max_timestamp for segment in log.segments), default=-1)
    return offset_for_timestamp(log, largest) if largest >= 0 else None
