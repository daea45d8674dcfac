"""A member's identity in the bytes in which confluent-kafka's transactional producer takes it.

    "CGMDv2:"  generation int32 LE  group id  NUL  member id  NUL  0x00  instance id  NUL
                                                               or  0x01  (no instance id)

The form is private to librdkafka (`rd_kafka_consumer_group_metadata_write`); a test pins it.
"""

from __future__ import annotations

import struct

MAGIC = b"CGMDv2:"


def encode_group_metadata(*, group_id: str, generation: int, member_id: str, instance_id: str | None) -> bytes:
    """Generation -1 and an empty member id stand for somebody who is not a member."""
    instance = b"\x01" if instance_id is None else b"\x00" + terminated(instance_id)
    return MAGIC + struct.pack("<i", generation) + terminated(group_id) + terminated(member_id) + instance


def terminated(text: str) -> bytes:
    return text.encode() + b"\0"
