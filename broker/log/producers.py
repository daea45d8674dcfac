"""What a partition knows about its idempotent producers: epoch and the last five batches of each.

A batch that is sent again is recognised and answered with its first offset; a gap in the sequence is refused.
Source: `ProducerStateManager`, `ProducerAppendInfo` of Apache Kafka; KIP-98.

Snapshot file `<offset, 20 digits>.snapshot`: the state before that offset, so that recovery reads headers from there.

    version uint8 · crc32c uint32 of the rest · per producer: id int64 · epoch int16 · count uint8 ·
    per batch: first sequence int32 · last sequence int32 · base offset int64 · timestamp int64
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError

from crc32c import crc32c
from kio.schema.errors import ErrorCode

from broker.log.errors import AppendRefused

REMEMBERED_BATCHES = 5
SEQUENCE_MASK = 0x7FFF_FFFF
SNAPSHOT_VERSION = 1
snapshot_header = Struct(">BI")
snapshot_producer = Struct(">qhB")
snapshot_batch = Struct(">iiqq")


class SnapshotError(Exception):
    """A snapshot file that cannot be used; older ones or a scan must do."""


class Producer:
    """One producer id in one partition. `batches`: (first sequence, last sequence, base offset, timestamp), oldest
    first, all of the current epoch."""

    __slots__ = ("batches", "epoch")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.batches: list[tuple[int, int, int, int]] = []


class ProducerStates:
    """Producer id → what it wrote last. Owned by the partition log."""

    __slots__ = ("producers",)

    def __init__(self) -> None:
        self.producers: dict[int, Producer] = {}

    def check(self, producer_id: int, epoch: int, first: int, last: int) -> tuple[int, int] | None:
        """(base offset, timestamp) of the batch this one repeats, or None if it is the next one.

        Raises AppendRefused: INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER.
        """
        producer = self.producers.get(producer_id)
        if producer is None:
            return None  # expired, or its batches were deleted: any sequence is accepted
        batches = producer.batches
        if epoch == producer.epoch:
            if batches:
                expected = (batches[-1][1] + 1) & SEQUENCE_MASK
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
            return None
        if epoch < producer.epoch:
            raise AppendRefused(
                ErrorCode.invalid_producer_epoch,
                f"Epoch of producer {producer_id} is {epoch}, which is smaller than the last seen epoch "
                f"{producer.epoch}",
            )
        if first != 0:
            raise AppendRefused(
                ErrorCode.out_of_order_sequence_number,
                f"Invalid sequence number for new epoch {epoch} of producer {producer_id}: {first}, expected 0",
            )
        return None

    def note(self, producer_id: int, epoch: int, first: int, last: int, offset: int, timestamp: int) -> None:
        """Remembers a batch that was appended. `timestamp`: ms, what a duplicate is answered and expiry counts from."""
        producer = self.producers.get(producer_id)
        if producer is None or epoch != producer.epoch:
            producer = self.producers[producer_id] = Producer(epoch)
        batches = producer.batches
        batches.append((first, last, offset, timestamp))
        if len(batches) > REMEMBERED_BATCHES:
            del batches[0]

    def expire(self, before_ms: int) -> None:
        """Forgets producers whose last batch is older."""
        expired = [
            producer_id
            for producer_id, producer in self.producers.items()
            if producer.batches and producer.batches[-1][3] < before_ms
        ]
        for producer_id in expired:
            del self.producers[producer_id]

    def encode(self) -> bytes:
        body = bytearray()
        for producer_id, producer in self.producers.items():
            body += snapshot_producer.pack(producer_id, producer.epoch, len(producer.batches))
            for batch in producer.batches:
                body += snapshot_batch.pack(*batch)
        return snapshot_header.pack(SNAPSHOT_VERSION, crc32c(body)) + body

    @classmethod
    def decode(cls, content: bytes) -> ProducerStates:
        """Raises SnapshotError."""
        states = cls()
        try:
            version, checksum = snapshot_header.unpack_from(content)
            if version != SNAPSHOT_VERSION or checksum != crc32c(memoryview(content)[snapshot_header.size :]):
                raise SnapshotError("unknown version or wrong checksum")
            position = snapshot_header.size
            while position < len(content):
                producer_id, epoch, count = snapshot_producer.unpack_from(content, position)
                position += snapshot_producer.size
                producer = states.producers[producer_id] = Producer(epoch)
                for _ in range(count):
                    producer.batches.append(snapshot_batch.unpack_from(content, position))
                    position += snapshot_batch.size
        except StructError as error:
            raise SnapshotError(str(error)) from error
        return states
