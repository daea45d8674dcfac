"""The offsets log in the broker's own internal topic `__consumer_offsets`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from broker.offsets.journal import KeyValue
from broker.protocol.batches import decode_batch, encode_batch

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog
    from broker.state import BrokerState

OFFSETS_TOPIC = "__consumer_offsets"
OFFSETS_CONFIGS = {
    "cleanup.policy": "compact",
    # All of it is read at the start, and the last segment is never compacted: Kafka's 100 MiB would take seconds.
    "segment.bytes": "4194304",
    # A group's record holds all its members' metadata and assignments, and those have no limit of their own.
    "max.message.bytes": "104857600",
}


class TopicOffsetsLog:
    """`journal.OffsetsLog` over the broker's log; creates the topic when the first record is written."""

    def __init__(self, broker: BrokerState, *, partitions: int) -> None:
        self.broker = broker
        self.partitions = partitions
        """Partitions of the topic if it has to be created; one that exists keeps its own."""

    def partition_of(self, group_id: str) -> int:
        return java_hash(group_id) % self.ensure()

    def ensure(self) -> int:
        """Creates the topic if it is not there; returns its partition count."""
        topic = self.broker.topics.get(OFFSETS_TOPIC)
        if topic is None:
            topic = self.broker.create_topic(OFFSETS_TOPIC, self.partitions, OFFSETS_CONFIGS, internal=True)
        return topic.partitions

    async def append(self, partition: int, records: Sequence[KeyValue]) -> None:
        await self.broker.append(self.log(partition), encode_batch(records, self.broker.clock()))

    def replay(self) -> Iterator[KeyValue]:
        topic = self.broker.topics.get(OFFSETS_TOPIC)
        for partition in range(0 if topic is None else topic.partitions):
            log = self.log(partition)
            for batch in log.read_batches(log.start_offset):
                for record in decode_batch(batch):
                    if record.key is not None:
                        yield record.key, record.value

    def log(self, partition: int) -> PartitionLog:
        log = self.broker.logs.get(OFFSETS_TOPIC, partition)
        if log is None:
            raise OSError(f"the log of {OFFSETS_TOPIC}-{partition} is gone; restart the broker")
        return log


def java_hash(text: str) -> int:
    """`Utils.abs(String.hashCode())`, as Kafka places groups: tools compute the same partition."""
    value = 0
    units = text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2]):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF if value < 0x80000000 else (0x100000000 - value) & 0x7FFFFFFF
