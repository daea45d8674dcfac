"""Drops the segments that time or size have outlived.

Source: `UnifiedLog.deleteOldSegments` of Apache Kafka: whole segments only, from the log's first on; the active one is
rolled first when it has expired.
"""

from __future__ import annotations

from broker.log.partition import PartitionLog
from broker.log.segment import Segment


def retain(log: PartitionLog, now: int) -> int:
    """Returns how many segments went. A log without the policy `delete` keeps all. Raises OSError.

    A segment with a timestamp in the future stays until that time and the retention time are over, and those behind it
    stay with it.
    """
    config = log.config
    if not config.deleted:
        return 0
    dropped = 0
    if config.retention_ms >= 0:
        while expired(log, log.segments[0], now - config.retention_ms):
            if len(log.segments) == 1:
                log.roll()
            log.drop_first()
            dropped += 1
    if config.retention_bytes >= 0:
        surplus = log.size - config.retention_bytes
        while len(log.segments) > 1 and surplus >= log.segments[0].size:
            surplus -= log.segments[0].size
            log.drop_first()
            dropped += 1
    return dropped


def expired(log: PartitionLog, segment: Segment, before: int) -> bool:
    """An active segment that consumers do not see whole yet, or that is empty, never is."""
    if segment is log.active and (not segment.size or log.high_watermark != log.end_offset):
        return False
    return segment.age_from() < before
