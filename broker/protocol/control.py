"""Control batches: the markers that end a producer's transaction in a partition.

One record: key = version int16 (0) · type int16 (0 abort, 1 commit), value = version int16 (0) · coordinator epoch
int32; attributes transactional and control, no sequence, the id and epoch of the producer.

Source: `EndTransactionMarker`, `ControlRecordType` of Apache Kafka.
"""

from __future__ import annotations

from struct import Struct

from broker.protocol.batches import CONTROL, TRANSACTIONAL, Buffer, CorruptBatchError, decode_batch, encode_batch

COORDINATOR_EPOCH = 0
"""One node's coordinator never moves."""
ABORT, COMMIT = 0, 1
key_struct = Struct(">hh")
value_struct = Struct(">hi")


def marker_batch(
    producer_id: int, epoch: int, *, commit: bool, timestamp_ms: int, coordinator_epoch: int = COORDINATOR_EPOCH
) -> bytearray:
    """The batch that commits or aborts; it may be appended to many logs."""
    return encode_batch(
        [(key_struct.pack(0, COMMIT if commit else ABORT), value_struct.pack(0, coordinator_epoch))],
        timestamp_ms,
        attributes=TRANSACTIONAL | CONTROL,
        producer_id=producer_id,
        producer_epoch=epoch,
    )


def is_commit(batch: Buffer) -> bool:
    """Whether a control batch commits. Raises CorruptBatchError if it is no end-of-transaction marker."""
    for record in decode_batch(batch):
        if record.key is not None and len(record.key) >= key_struct.size:
            kind: int = key_struct.unpack_from(record.key)[1]
            if kind in (ABORT, COMMIT):
                return kind == COMMIT
    raise CorruptBatchError("a control batch that neither commits nor aborts a transaction")
