"""A journal's log in one of the broker's own topics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from broker.journal.entry import Entry, Marker
from broker.journal.journal import Batch, MarkerToWrite
from broker.protocol.batches import CONTROL, TRANSACTIONAL, decode_batch, encode_batch, read_header
from broker.protocol.control import is_commit, marker_batch

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog
    from broker.state import BrokerState


class InternalTopicLog:
    """`journal.JournalLog` over the broker's log; creates the topic when the first record is written."""

    def __init__(self, broker: BrokerState, name: str, configs: Mapping[str, str], *, partitions: int) -> None:
        self.broker = broker
        self.name = name
        self.configs = configs
        self.partitions = partitions
        """Partitions of the topic if it has to be created; one that exists keeps its own."""

    def partition_of(self, key: str) -> int:
        return java_hash(key) % self.ensure()

    def ensure(self) -> int:
        """Creates the topic if it is not there; returns its partition count."""
        topic = self.broker.topics.get(self.name)
        if topic is None:
            topic = self.broker.create_topic(self.name, self.partitions, self.configs, internal=True)
        return topic.partitions

    async def append(self, partition: int, batches: Sequence[Batch]) -> None:
        log, now_ms = self.log(partition), self.broker.clock()
        for batch in batches:
            if isinstance(batch, MarkerToWrite):
                who = batch.producer
                log.append_marker(marker_batch(who.producer_id, who.epoch, commit=batch.commit, timestamp_ms=now_ms))
            elif batch.producer is None:
                log.append_own(encode_batch(batch.records, now_ms))
            else:
                who = batch.producer
                log.append_own(
                    encode_batch(
                        batch.records,
                        now_ms,
                        attributes=TRANSACTIONAL,
                        producer_id=who.producer_id,
                        producer_epoch=who.epoch,
                    )
                )
        if self.broker.durable:
            await asyncio.shield(self.broker.group_commit.wait(log))

    def replay(self) -> Iterator[Entry | Marker]:
        topic = self.broker.topics.get(self.name)
        for partition in range(0 if topic is None else topic.partitions):
            log = self.log(partition)
            for batch in log.reader.read_batches(log.start_offset):
                header = read_header(batch)
                if header.attributes & CONTROL:
                    yield Marker(partition, header.producer_id, is_commit(batch))
                    continue
                producer_id = header.producer_id if header.attributes & TRANSACTIONAL else -1
                for record in decode_batch(batch):
                    if record.key is not None:
                        yield Entry(record.key, record.value, producer_id)

    def log(self, partition: int) -> PartitionLog:
        log = self.broker.logs.get(self.name, partition)
        if log is None:
            raise OSError(f"the log of {self.name}-{partition} is gone; restart the broker")
        return log


def java_hash(text: str) -> int:
    """`Utils.abs(String.hashCode())`, as Kafka places groups: tools compute the same partition."""
    value = 0
    units = text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2]):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF if value < 0x80000000 else (0x100000000 - value) & 0x7FFFFFFF
