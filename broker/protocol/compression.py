"""The five codecs of record batches, for the cases in which the broker must open one.

Snappy comes in the xerial framing of Java clients (`\\x82SNAPPY\\0`, two version ints, then blocks with a big-endian
length) and, from some clients, as one bare block.
"""

from __future__ import annotations

import sys
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
LZ4_MAX_LEVEL = 12
"""Kafka's levels go up to 17, the codec's to 12."""
MIN_INFLATED_LIMIT = 67_108_864
MAX_RATIO = 16
"""A batch may grow to 64 MiB, or to that many times its size: a megabyte of zeros compressed is a gigabyte."""
block_size = Struct(">i")


class InflatedSizeError(ValueError):
    """Compressed data is larger inside than this broker opens."""


class Codec(IntEnum):
    """Bits 0 to 2 of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


def compress(codec: int, data: Buffer, level: int | None = None) -> bytes:
    """The records of a batch as clients of any kind can read them: snappy in xerial frames, lz4 with independent blocks
    (Java's reader knows no others). `level` None: the codec's usual one. Raises ValueError on an unknown codec."""
    match codec:
        case Codec.NONE:
            return bytes(data)
        case Codec.GZIP:
            return zlib.compress(data, -1 if level is None else level, wbits=31)
        case Codec.SNAPPY:
            return compress_snappy(data)
        case Codec.LZ4:
            import cramjam

            frame = cramjam.lz4.Compressor(
                level=None if level is None else min(level, LZ4_MAX_LEVEL), content_checksum=False, block_linked=False
            )
            frame.compress(bytes(data))
            return bytes(frame.finish())
        case Codec.ZSTD:
            import cramjam

            return bytes(cramjam.zstd.compress(data, level=ZSTD_LEVEL if level is None else level))
        case _:
            raise ValueError(f"unknown compression codec {codec}")


def decompress(codec: int, data: Buffer) -> bytes:
    """The records of a compressed batch. Raises InflatedSizeError, whatever the codec raises on damaged data, and
    ValueError on an unknown codec. The libraries are imported on first use: most brokers never open a batch."""
    limit = max(MIN_INFLATED_LIMIT, MAX_RATIO * len(data))
    match codec:
        case Codec.NONE:
            return bytes(data)
        case Codec.GZIP:
            return decompress_gzip(data, limit)
        case Codec.SNAPPY:
            return decompress_snappy(data, limit)
        case Codec.LZ4:
            return decompress_lz4(data, limit)
        case Codec.ZSTD:
            return decompress_zstd(data, limit)
        case _:
            raise ValueError(f"unknown compression codec {codec}")


def too_large(limit: int) -> InflatedSizeError:
    return InflatedSizeError(f"compressed records take more than {limit} bytes")


def decompress_gzip(data: Buffer, limit: int) -> bytes:
    """One gzip member after the other."""
    out = bytearray()
    rest: Buffer = data
    while rest:
        member = zlib.decompressobj(wbits=31)
        out += member.decompress(rest, limit + 1 - len(out))
        if len(out) > limit:
            raise too_large(limit)
        if not member.eof:
            raise ValueError("gzip data ends early")
        rest = member.unused_data
    return bytes(out)


def decompress_zstd(data: Buffer, limit: int) -> bytes:
    """One zstd frame after the other."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    out = bytearray()
    rest: Buffer = data
    while rest:
        frame = zstd.ZstdDecompressor()
        out += frame.decompress(rest, limit + 1 - len(out))
        if len(out) > limit:
            raise too_large(limit)
        if not frame.eof:
            raise ValueError("zstd data ends early")
        rest = frame.unused_data
    return bytes(out)


def decompress_lz4(data: Buffer, limit: int) -> bytes:
    """The library writes into as much room as it is given: more and more, until it is enough."""
    import cramjam

    room = min(limit, 8 * len(data) + 65_536)
    while True:
        out = bytearray(room)
        try:
            size: int = cramjam.lz4.decompress_into(data, out)
        except cramjam.DecompressionError as error:
            if "write whole buffer" not in str(error):
                raise
            if room >= limit:
                raise too_large(limit) from error
            room = min(limit, room * 8)
            continue
        return bytes(memoryview(out)[:size])


def decompress_snappy(data: Buffer, limit: int) -> bytes:
    """Xerial-framed or bare snappy."""
    import cramjam

    if bytes(data[: len(XERIAL_MAGIC)]) != XERIAL_MAGIC:
        if cramjam.snappy.decompress_raw_len(data) > limit:
            raise too_large(limit)
        return bytes(cramjam.snappy.decompress_raw(data))
    out = bytearray()
    position = XERIAL_HEADER_SIZE
    while position < len(data):
        size = block_size.unpack_from(data, position)[0]
        position += 4
        if size < 0 or position + size > len(data):
            raise ValueError(f"snappy block of {size} bytes where {len(data) - position} are left")
        block = data[position : position + size]
        if len(out) + cramjam.snappy.decompress_raw_len(block) > limit:
            raise too_large(limit)
        out += cramjam.snappy.decompress_raw(block)
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
