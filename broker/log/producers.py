"""What a partition knows about its producers: epoch, the last five batches, and the open transaction of each.

A batch that is sent again is recognised and answered with its first offset; a gap in the sequence is refused.
Source: `ProducerStateManager`, `ProducerAppendInfo` of Apache Kafka; KIP-98. Their file is `producer_snapshot`.
"""

from __future__ import annotations

from typing import NamedTuple

from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused

REMEMBERED_BATCHES = 5
SEQUENCE_MASK = 0x7FFF_FFFF


class Producer:
    """One producer id in one partition. `batches`: (first sequence, last sequence, base offset, timestamp), oldest
    first, all of the current epoch. `last_timestamp`: ms, when anything of it was appended; expiry counts from it.
    `coordinator_epoch`: of the coordinator that ended its last transaction, -1 if that is not known."""

    __slots__ = ("batches", "coordinator_epoch", "epoch", "last_timestamp")

    def __init__(self, epoch: int, last_timestamp: int) -> None:
        self.epoch = epoch
        self.last_timestamp = last_timestamp
        self.coordinator_epoch = -1
        self.batches: list[tuple[int, int, int, int]] = []


class OpenTransaction(NamedTuple):
    """Where the open transaction of a producer begins: the offset, and the bytes of the log before it (0 where that
    was before the broker's start)."""

    first_offset: int
    bytes_before: int


class ProducerStates:
    """Producer id → what it wrote last. Owned by the partition log."""

    __slots__ = ("open", "producers")

    def __init__(self) -> None:
        self.producers: dict[int, Producer] = {}
        self.open: dict[int, OpenTransaction] = {}
        """Producer id → its transaction, in order of their first offsets."""

    def check(self, producer_id: int, epoch: int, first: int, last: int) -> tuple[int, int] | None:
        """(base offset, timestamp) of the batch this one repeats, or None if it is the next one.

        Raises AppendRefused: INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER.
        """
        producer = self.producers.get(producer_id)
        if producer is None:
            return None  # expired, or its batches were deleted: any sequence is accepted
        batches = producer.batches
        if epoch == producer.epoch:
            # Without batches the epoch is known from a marker, which has no sequence: the next one is the first.
            expected = (batches[-1][1] + 1) & SEQUENCE_MASK if batches else 0
            if first == expected:
                return None
            for known_first, known_last, offset, timestamp in batches:
                if known_first == first and known_last == last:
                    return offset, timestamp
            raise AppendRefused(
                ErrorCode.out_of_order_sequence_number,
                f"Out of order sequence number for producer {producer_id}: {first} (incoming seq. number), "
                f"{expected - 1} (current end sequence number)",
            )
        self.check_epoch(producer_id, epoch)
        if first != 0:
            raise AppendRefused(
                ErrorCode.out_of_order_sequence_number,
                f"Invalid sequence number for new epoch {epoch} of producer {producer_id}: {first}, expected 0",
            )
        return None

    def check_epoch(self, producer_id: int, epoch: int) -> None:
        """Raises AppendRefused, INVALID_PRODUCER_EPOCH, for an epoch that was left behind."""
        producer = self.producers.get(producer_id)
        if producer is not None and epoch < producer.epoch:
            raise AppendRefused(
                ErrorCode.invalid_producer_epoch,
                f"Epoch of producer {producer_id} is {epoch}, which is smaller than the last seen epoch "
                f"{producer.epoch}",
            )

    def note(self, producer_id: int, epoch: int, first: int, last: int, offset: int, timestamp: int) -> None:
        """Remembers a batch that was appended. `timestamp`: ms, what a duplicate is answered."""
        batches = self.seen(producer_id, epoch, timestamp).batches
        batches.append((first, last, offset, timestamp))
        if len(batches) > REMEMBERED_BATCHES:
            del batches[0]

    def seen(self, producer_id: int, epoch: int, timestamp: int) -> Producer:
        """Notes that a producer wrote in an epoch at a time; a new epoch begins without batches."""
        producer = self.producers.get(producer_id)
        if producer is None or epoch > producer.epoch:
            following = self.producers[producer_id] = Producer(epoch, timestamp)
            if producer is not None:
                following.coordinator_epoch = producer.coordinator_epoch
            return following
        producer.last_timestamp = timestamp
        return producer

    # -- transactions ------------------------------------------------------------------------------------------------
    def begin(self, producer_id: int, first_offset: int, bytes_before: int) -> None:
        """A transactional batch was appended: the producer's transaction begins with it, unless it is open."""
        if producer_id not in self.open:
            self.open[producer_id] = OpenTransaction(first_offset, bytes_before)

    def end(self, producer_id: int, epoch: int, timestamp: int, coordinator_epoch: int = 0) -> OpenTransaction | None:
        """A marker was appended; returns the transaction it ends, if any of its batches are here."""
        producer = self.seen(producer_id, epoch, timestamp)
        producer.coordinator_epoch = max(producer.coordinator_epoch, coordinator_epoch)
        return self.open.pop(producer_id, None)

    def first_unstable(self, otherwise: int) -> int:
        """First offset of the earliest open transaction, or else what is given."""
        return next(iter(self.open.values())).first_offset if self.open else otherwise

    # -- expiry ------------------------------------------------------------------------------------------------------
    def expire(self, before_ms: int) -> None:
        """Forgets producers that have been silent since, but for those with an open transaction."""
        expired = [
            producer_id
            for producer_id, producer in self.producers.items()
            if producer.last_timestamp < before_ms and producer_id not in self.open
        ]
        for producer_id in expired:
            del self.producers[producer_id]
