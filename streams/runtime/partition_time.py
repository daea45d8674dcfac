"""The metadata of a committed offset: how far time is in the partition.

Kafka Streams' own form, so that an application's offsets mean the same to both: base64 of

    offset  width  field
    0       1      version: 1, or 2 with processor metadata behind
    1       8      partition time, ms, signed big-endian

Source: `org.apache.kafka.streams.processor.internals.TopicPartitionMetadata`.
"""

from __future__ import annotations

import base64
import binascii
import struct

FORM = struct.Struct(">bq")
KNOWN_VERSIONS = (1, 2)
UNKNOWN_TIME = -1


def encode_partition_time(time: int) -> str:
    return base64.b64encode(FORM.pack(1, time)).decode()


def decode_partition_time(metadata: str) -> int:
    """-1 for metadata that somebody else wrote (a plain consumer, an offset reset).

    librdkafka 2.16 commits the metadata of offsets in a transaction with a NUL at the end.
    """
    try:
        data = base64.b64decode(metadata.removesuffix("\0"), validate=True)
    except (binascii.Error, ValueError):
        return UNKNOWN_TIME
    if len(data) < FORM.size:
        return UNKNOWN_TIME
    version, time = FORM.unpack_from(data)
    return time if version in KNOWN_VERSIONS else UNKNOWN_TIME
