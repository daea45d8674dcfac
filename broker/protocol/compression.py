"""The five codecs of record batches, for the cases in which the broker must open one.

Snappy comes in the xerial framing of Java clients (`\\x82SNAPPY\\0`, two version ints, then blocks with a big-endian
length) and, from some clients, as one bare block.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from struct import Struct
from typing import TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview

XERIAL_MAGIC = b"\x82SNAPPY\x00"
XERIAL_HEADER_SIZE = 16
XERIAL_HEADER = XERIAL_MAGIC + b"\0\0\0\1\0\0\0\1"
XERIAL_BLOCK_SIZE = 32_768
ZSTD_LEVEL = 3
block_size = Struct(">i")


class Codec(IntEnum):
    """Bits 0 to 2 of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


def compress(codec: int, data: Buffer) -> bytes:
    """The records of a batch as clients of any kind can read them: snappy in xerial frames, lz4 with independent blocks
    (Java's reader knows no others). Raises ValueError on an unknown codec."""
    match codec:
        case Codec.NONE:
            return bytes(data)
        case Codec.GZIP:
            return zlib.compress(data, wbits=31)
        case Codec.SNAPPY:
            return compress_snappy(data)
        case Codec.LZ4:
            import cramjam

            frame = cramjam.lz4.Compressor(content_checksum=False, block_linked=False)
            frame.compress(bytes(data))
            return bytes(frame.finish())
        case Codec.ZSTD:
            import cramjam

            return bytes(cramjam.zstd.compress(data, level=ZSTD_LEVEL))
        case _:
            raise ValueError(f"unknown compression codec {codec}")


def decompress(codec: int, data: Buffer) -> bytes:
    """The records of a compressed batch. Raises whatever the codec raises on damaged data, ValueError on an unknown
    codec. The libraries are imported on first use: most brokers never open a batch."""
    match codec:
        case Codec.NONE:
            return bytes(data)
        case Codec.GZIP:
            return zlib.decompress(data, wbits=31)
        case Codec.SNAPPY:
            return decompress_snappy(data)
        case Codec.LZ4:
            import cramjam

            return bytes(cramjam.lz4.decompress(data))
        case Codec.ZSTD:
            import cramjam

            return bytes(cramjam.zstd.decompress(data))
        case _:
            raise ValueError(f"unknown compression codec {codec}")


def decompress_snappy(data: Buffer) -> bytes:
    """Xerial-framed or bare snappy."""
    import cramjam

    if bytes(data[: len(XERIAL_MAGIC)]) != XERIAL_MAGIC:
        return bytes(cramjam.snappy.decompress_raw(data))
    out = bytearray()
    position = XERIAL_HEADER_SIZE
    while position < len(data):
        size = block_size.unpack_from(data, position)[0]
        position += 4
        if size < 0 or position + size > len(data):
            raise ValueError(f"snappy block of {size} bytes where {len(data) - position} are left")
        out += cramjam.snappy.decompress_raw(data[position : position + size])
        position += size
    return bytes(out)


def compress_snappy(data: Buffer) -> bytes:
    """Xerial-framed snappy."""
    import cramjam

    out = bytearray(XERIAL_HEADER)
    view = memoryview(data)
    for start in range(0, len(view), XERIAL_BLOCK_SIZE):
        block = bytes(cramjam.snappy.compress_raw(view[start : start + XERIAL_BLOCK_SIZE]))
        out += block_size.pack(len(block))
        out += block
    return bytes(out)
