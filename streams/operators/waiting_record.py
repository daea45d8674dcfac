"""A stream's record as bytes, while it waits in a buffer.

MessagePack: `[value as its serde writes it, topic, partition, offset, headers or nil]`. Its key and timestamp are those
it waits under.
"""

from __future__ import annotations

import msgspec

from streams.compile.program import Headers


class WaitingRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The parts of the record; for functions that want its context also the message it came as.

    Source: `BufferValue` and `ProcessorRecordContext`, which Kafka Streams' buffers keep as well.
    """

    value_bytes: bytes
    topic_name: str
    partition_number: int
    offset_number: int
    header_list: Headers | None

    def topic(self) -> str:
        return self.topic_name

    def partition(self) -> int:
        return self.partition_number

    def offset(self) -> int:
        return self.offset_number

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return self.value_bytes

    def timestamp(self) -> tuple[int, int]:
        return (0, -1)

    def headers(self) -> Headers | None:
        return self.header_list


encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(WaitingRecord).decode
