"""Partition logs in a temporary directory, with a clock the test moves."""

from __future__ import annotations

from pathlib import Path

from broker.log.partition import PartitionLog
from broker.log.recovery import open_log
from broker.protocol.batches import decode_batch, encode_batch, walk
from broker.topics.config import TopicConfig

NOW = 1_700_000_000_000


def open_partition(
    directory: Path, *, trusted: bool = False, durable: bool = False, internal: bool = False, **configs: str
) -> PartitionLog:
    """Opens `t-0`; configs with underscores for dots."""
    return open_log(
        topic="t",
        partition=0,
        directory=directory,
        config=TopicConfig.parse({name.replace("_", "."): value for name, value in configs.items()}),
        durable=durable,
        internal=internal,
        trusted=trusted,
        clock=lambda: NOW,
    )


def batch(*values: str, timestamp: int = NOW, producer: tuple[int, int, int] | None = None) -> bytearray:
    """One batch of records; `producer`: id, epoch, base sequence."""
    records = [(b"k", value.encode()) for value in values]
    if producer is None:
        return encode_batch(records, timestamp)
    producer_id, epoch, sequence = producer
    return encode_batch(records, timestamp, producer_id=producer_id, producer_epoch=epoch, base_sequence=sequence)


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
