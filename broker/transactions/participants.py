"""What a transaction ends in: the partitions of the broker's logs, and the offsets of its groups."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from broker.journal.entry import ProducerIdentity
from broker.protocol.control import marker_batch
from broker.topics.names import OFFSETS_TOPIC
from broker.transactions.transaction import TopicPartition

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog
    from broker.state import BrokerState

LOG = logging.getLogger("broker.transactions")


class Participants(Protocol):
    """Where markers go, as the coordinator needs it; the broker's partitions implement it."""

    def offsets_partition(self, group_id: str) -> TopicPartition:
        """Where a group's offsets are kept. Raises TopicError."""
        ...

    async def end(self, producer: ProducerIdentity, partitions: Iterable[TopicPartition], *, commit: bool) -> bool:
        """Ends the producer's transaction in the partitions, in all at once; before it first waits, nothing else can
        be written to them. Whether that could be made durable everywhere; it may be repeated if not."""
        ...

    async def abort_unless(self, known: Callable[[int, TopicPartition], bool]) -> None:
        """Aborts what is open in a partition for a producer id without the coordinator's knowledge."""
        ...


class BrokerPartitions:
    """`Participants` over the broker's state."""

    def __init__(self, broker: BrokerState) -> None:
        self.broker = broker

    def offsets_partition(self, group_id: str) -> TopicPartition:
        return OFFSETS_TOPIC, self.broker.groups.journal.log.partition_of(group_id)

    async def end(self, producer: ProducerIdentity, partitions: Iterable[TopicPartition], *, commit: bool) -> bool:
        broker = self.broker
        marker = marker_batch(producer.producer_id, producer.epoch, commit=commit, timestamp_ms=broker.clock())
        waits: list[Awaitable[bool]] = []
        ended = True
        for topic, partition in partitions:
            log = broker.logs.get(topic, partition)
            if topic == OFFSETS_TOPIC:
                # Always, and behind what is queued there: the log does not know yet of offsets still to be written.
                waits.append(broker.groups.end_transaction(partition, producer, commit=commit))
                continue
            if log is None or has_ended(log, producer):
                continue  # deleted, or nothing to end
            try:
                log.append_marker(marker)
            except OSError as error:
                LOG.error("%s: cannot end the transaction of producer %d: %s", log.name, producer.producer_id, error)
                ended = False
            else:
                if broker.durable:
                    waits.append(self.durable(log))
        return all(await asyncio.gather(*waits)) and ended if waits else ended

    async def durable(self, log: PartitionLog) -> bool:
        try:
            await asyncio.shield(self.broker.group_commit.wait(log))
        except OSError:
            return log.released  # of a deleted topic nothing is left to end
        return True

    async def abort_unless(self, known: Callable[[int, TopicPartition], bool]) -> None:
        for log in self.broker.logs:
            at = log.topic, log.partition
            for producer_id in list(log.producers.open):
                if not known(producer_id, at):
                    LOG.warning("%s: aborting a transaction of producer %d that nobody knows of", log.name, producer_id)
                    epoch = log.producers.producers[producer_id].epoch
                    await self.end(ProducerIdentity(producer_id, epoch), [at], commit=False)


def has_ended(log: PartitionLog, producer: ProducerIdentity) -> bool:
    """Whether a partition knows the producer in its epoch and has nothing open of it: a marker would say nothing."""
    if producer.producer_id in log.producers.open:
        return False
    known = log.producers.producers.get(producer.producer_id)
    return known is not None and known.epoch >= producer.epoch
