"""Records seen without being built: the same as `decode_batch` makes of them."""

from __future__ import annotations

import contextlib

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.batches import CorruptBatchError, decode_batch, encode_batch, read_header, record_bytes
from broker.protocol.compression import Codec, compress, decompress
from broker.protocol.record_spans import record_spans, records_without_key

nullable = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=5), nullable), max_size=3)
lines = st.lists(st.tuples(nullable, nullable, st.integers(-(2**40), 2**40), headers), min_size=1, max_size=20)


@given(lines, st.sampled_from(list(Codec)))
def test_spans_say_what_decoding_says(
    records: list[tuple[bytes | None, bytes | None, int, list[tuple[str, bytes | None]]]], codec: Codec
) -> None:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=int(codec), is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1_000_000,
    )  # fmt: skip
    for number, (key, value, timestamp, named) in enumerate(records):
        builder.append(number, 2**41 + timestamp, key, value, named)
    batch = bytes(builder.build())
    header = read_header(batch)
    content = record_bytes(batch, header)
    spans = record_spans(content, header)
    assert [
        (header.base_offset + span.offset_delta, header.base_timestamp + span.timestamp_delta, span.key)
        for span in spans
    ] == [(one.offset, one.timestamp, one.key) for one in decode_batch(batch)]
    assert [span.tombstone for span in spans] == [value is None for _, value, _, _ in records]
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])]
    assert spans[-1].end == len(content)
    keyless = [number for number, (key, _, _, _) in enumerate(records) if key is None]
    assert records_without_key(content, header) == keyless


@given(st.data())
def test_spans_of_other_bytes_are_refused_or_read(data: st.DataObject) -> None:
    """Whatever stands there, nothing else is raised, and nothing runs over the end."""
    batch = encode_batch([(b"key", b"value"), (None, b"x" * 100)], 5)
    content = bytearray(record_bytes(batch, read_header(batch)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptBatchError):
        assert record_spans(bytes(content), read_header(batch))[-1].end == len(content)
    with contextlib.suppress(CorruptBatchError):
        records_without_key(bytes(content), read_header(batch))


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_compress_round_trips(codec: Codec, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert decompress(codec, compress(codec, content)) == content


def test_compressed_lz4_has_independent_blocks() -> None:
    """Java's reader refuses others; the flag is bit 5 of the frame descriptor."""
    assert compress(Codec.LZ4, b"x" * 100_000)[4] & 0x20
