"""Partition logs in a temporary directory, with a clock the test moves."""

from __future__ import annotations

from pathlib import Path

from broker.log.partition import PartitionLog
from broker.log.recovery import open_log
from broker.protocol.batches import CONTROL, TRANSACTIONAL, decode_batch, encode_batch, read_header, walk
from broker.protocol.control import is_commit, marker_batch
from broker.topics.config import TopicConfig

NOW = 1_700_000_000_000


def open_partition(
    directory: Path,
    *,
    trusted: bool = False,
    durable: bool = False,
    internal: bool = False,
    epoch: int = 0,
    **configs: str,
) -> PartitionLog:
    """Opens `t-0` in a leader epoch; configs with underscores for dots."""
    log = open_log(
        topic="t",
        partition=0,
        directory=directory,
        config=TopicConfig.parse({name.replace("_", "."): value for name, value in configs.items()}),
        durable=durable,
        internal=internal,
        trusted=trusted,
        clock=lambda: NOW,
        last_epoch=epoch,
    )
    log.lead(epoch)
    return log


def batch(
    *values: str,
    timestamp: int = NOW,
    producer: tuple[int, int, int] | None = None,
    transactional: bool = False,
) -> bytearray:
    """One batch of records; `producer`: id, epoch, base sequence."""
    records = [(b"k", value.encode()) for value in values]
    if producer is None:
        return encode_batch(records, timestamp)
    producer_id, epoch, sequence = producer
    return encode_batch(
        records,
        timestamp,
        attributes=TRANSACTIONAL if transactional else 0,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
    )


def marker(producer_id: int, epoch: int, *, commit: bool) -> bytearray:
    return marker_batch(producer_id, epoch, commit=commit, timestamp_ms=NOW)


def read_all(log: PartitionLog, *, max_bytes: int = 1 << 20) -> list[tuple[int, str]]:
    """(offset, value) of all visible records, read as a consumer does."""
    found: list[tuple[int, str]] = []
    offset = log.start_offset
    while chunk := log.reader.read(offset, max_bytes, at_least_one=True):
        positions = list(walk(chunk))
        assert sum(size for _, size in positions) == len(chunk), "a fetch ends with a whole batch"
        for position, size in positions:
            for record in decode_batch(chunk[position : position + size]):
                assert record.value is not None
                if record.offset >= offset:
                    found.append((record.offset, record.value.decode()))
        offset = found[-1][0] + 1
    return found


def read_committed(log: PartitionLog, start: int = 0, *, max_bytes: int = 1 << 20) -> list[tuple[int, str]]:
    """(offset, value) of the committed records from an offset on, read and filtered as a client does."""
    found: list[tuple[int, str]] = []
    offset = start
    while True:
        chunk, aborted = log.reader.read_committed(offset, max_bytes, at_least_one=True)
        assert [one.first_offset for one in aborted] == sorted(one.first_offset for one in aborted)
        if not chunk:
            return found
        coming = list(aborted)
        ignored: set[int] = set()
        for position, size in walk(chunk):
            content = chunk[position : position + size]
            header = read_header(content)
            end = header.base_offset + header.last_offset_delta + 1
            while coming and coming[0].first_offset < end:
                ignored.add(coming.pop(0).producer_id)
            if header.attributes & CONTROL:
                if not is_commit(content):
                    ignored.discard(header.producer_id)
            elif not (header.attributes & TRANSACTIONAL and header.producer_id in ignored):
                for record in decode_batch(content):
                    assert record.value is not None
                    if record.offset >= start:
                        found.append((record.offset, record.value.decode()))
            offset = end
