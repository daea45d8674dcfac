"""Record batches: what this broker writes and reads, and what it makes of other bytes."""

from __future__ import annotations

import contextlib
import gzip

import cramjam
import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.batches import (
    CorruptBatchError,
    checksum,
    decode_batch,
    encode_batch,
    header_struct,
    read_header,
    walk,
)
from broker.protocol.compression import Codec, decompress

nullable = st.none() | st.binary(max_size=50)
records = st.lists(st.tuples(nullable, nullable), min_size=1, max_size=20)


@given(records, st.integers(0, 2**40))
def test_batch_round_trips(pairs: list[tuple[bytes | None, bytes | None]], timestamp: int) -> None:
    batch = encode_batch(pairs, timestamp)
    header = read_header(batch)
    assert header.crc == checksum(batch)
    assert list(walk(batch)) == [(0, len(batch))]
    assert [(one.offset, one.timestamp, one.key, one.value) for one in decode_batch(batch)] == [
        (number, timestamp, *pair) for number, pair in enumerate(pairs)
    ]


@given(records)
def test_batch_is_read_by_an_independent_client(pairs: list[tuple[bytes | None, bytes | None]]) -> None:
    batch = DefaultRecordBatch(encode_batch(pairs, 5))
    assert batch.validate_crc()
    assert [(one.key, one.value, one.timestamp) for one in batch] == [(*pair, 5) for pair in pairs]


@pytest.mark.parametrize("codec", list(Codec))
def test_batch_of_an_independent_client_is_read(codec: Codec) -> None:
    """All codecs, timestamps and headers."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=int(codec), is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=100_000,
    )  # fmt: skip
    for number in range(100):
        builder.append(number, 1_000 + number, b"key", b"value" * 50, [("name", b"content"), ("none", None)])
    batch = bytes(builder.build())
    found = list(decode_batch(batch))
    assert [(one.offset, one.timestamp) for one in found] == [(number, 1_000 + number) for number in range(100)]
    assert found[0].headers == (("name", b"content"), ("none", None))
    assert {(one.key, one.value) for one in found} == {(b"key", b"value" * 50)}


@given(st.binary(max_size=300), st.integers(0, 7), st.integers(-1, 10))
def test_records_of_other_bytes_are_refused(content: bytes, codec: int, count: int) -> None:
    """Never another exception, never an endless loop."""
    batch = bytearray(encode_batch([(None, None)], 0)[:61]) + content
    header = list(header_struct.unpack_from(batch))
    header[1], header[5], header[12] = len(batch) - 12, codec, count
    header_struct.pack_into(batch, 0, *header)
    with contextlib.suppress(CorruptBatchError):
        list(decode_batch(batch))


@given(st.binary(max_size=500))
def test_walk_over_other_bytes_ends(content: bytes) -> None:
    for position, size in walk(content):
        assert position + size <= len(content)


def test_snappy_comes_framed_and_bare() -> None:
    raw = bytes(cramjam.snappy.compress_raw(b"content"))
    framed = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01" + 2 * (len(raw).to_bytes(4) + raw)
    assert decompress(Codec.SNAPPY, raw) == b"content"
    assert decompress(Codec.SNAPPY, framed) == b"contentcontent"
    assert decompress(Codec.GZIP, gzip.compress(b"content")) == b"content"
