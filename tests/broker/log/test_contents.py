"""What is looked at and changed inside a batch before it is stored."""

from __future__ import annotations

from pathlib import Path

import cramjam
import pytest
from kio.schema.errors import ErrorCode

from broker.log.contents import MAX_RECORDS
from broker.log.errors import AppendRefused
from broker.log.partition import PartitionLog
from broker.protocol import compression
from broker.protocol.batches import (
    CODEC_MASK,
    HEADER_SIZE,
    LENGTH_OVERHEAD,
    LOG_APPEND_TIME,
    NO_TIMESTAMP,
    TRANSACTIONAL,
    checksum,
    checksum_struct,
    decode_batch,
    encode_batch,
    header_struct,
    read_header,
)
from broker.protocol.compression import Codec, compress, decompress
from tests.broker.log.partitions import NOW, batch, open_partition

TYPES = {"uncompressed": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def packed(codec: int, records: bytes, count: int, *, timestamp: int = NOW, attributes: int = 0) -> bytearray:
    """A batch of any records, with a checksum that holds."""
    body = compress(codec, records)
    content = bytearray(HEADER_SIZE) + body
    header_struct.pack_into(
        content, 0, 0, len(content) - LENGTH_OVERHEAD, 0, 2, 0, attributes | codec, count - 1, timestamp, timestamp,
        -1, -1, -1, count,
    )  # fmt: skip
    checksum_struct.pack_into(content, 17, checksum(content))
    return content


def body_of(content: bytearray) -> bytes:
    return bytes(content[HEADER_SIZE:])


def stored(log: PartitionLog) -> bytes:
    return log.reader.read(0, 1 << 20, at_least_one=True)


# -- a time of appending that the producer claims -------------------------------------------------------------------
def claimed(timestamp: int = NOW) -> bytearray:
    records = encode_batch([(b"k", b"v")], NOW)
    return packed(Codec.NONE, body_of(records), 1, timestamp=timestamp, attributes=LOG_APPEND_TIME)


def test_batch_that_claims_append_time_is_stored_as_created(tmp_path: Path) -> None:
    """As in Kafka, for topics whose records keep the producer's time."""
    log = open_partition(tmp_path)
    log.append(claimed())
    content = stored(log)
    header = read_header(content)
    assert (header.attributes, header.crc) == (0, checksum(content))
    assert [record.value for record in decode_batch(content)] == [b"v"]


@pytest.mark.parametrize(
    ("timestamp", "configs"),
    [
        (NOW, {"message_timestamp_type": "LogAppendTime"}),
        (NO_TIMESTAMP, {}),
        (NOW - 5_000, {"message_timestamp_before_max_ms": "1000"}),
        (NOW + 7_200_000, {}),
    ],
)
def test_batch_that_claims_append_time_out_of_turn_is_refused(
    tmp_path: Path, timestamp: int, configs: dict[str, str]
) -> None:
    log = open_partition(tmp_path, **configs)
    with pytest.raises(AppendRefused) as refused:
        log.append(claimed(timestamp))
    assert refused.value.code is ErrorCode.invalid_timestamp
    assert log.end_offset == 0


# -- compression.type --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sent", range(5))
@pytest.mark.parametrize("wanted", list(TYPES))
def test_batch_is_stored_with_the_topics_codec(tmp_path: Path, wanted: str, sent: int) -> None:
    """The same records, offsets and times; a batch that has the codec already stays byte for byte."""
    plain = encode_batch([(b"k%d" % number, b"value" * 20) for number in range(50)], NOW)
    content = packed(sent, body_of(plain), 50)
    before = bytes(content)
    log = open_partition(tmp_path, compression_type=wanted)
    log.append(batch("first"))
    assert log.append(content) == (1, NO_TIMESTAMP)
    found = log.reader.read(1, 1 << 20, at_least_one=True)
    header = read_header(found)
    assert header.attributes & CODEC_MASK == TYPES[wanted]
    assert header.crc == checksum(found)
    assert header.length + LENGTH_OVERHEAD == len(found)
    assert (header.base_offset, header.last_offset_delta, header.max_timestamp) == (1, 49, NOW)
    assert [(one.offset, one.key, one.value) for one in decode_batch(found)] == [
        (number + 1, b"k%d" % number, b"value" * 20) for number in range(50)
    ]
    if sent == TYPES[wanted]:
        assert found[16:] == before[16:]


def test_producer_and_transaction_survive_another_codec(tmp_path: Path) -> None:
    log = open_partition(tmp_path, compression_type="zstd")
    log.append(batch("a", producer=(7, 3, 0), transactional=True), transactional=True)
    header = read_header(stored(log))
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 3, 0)
    assert header.attributes == TRANSACTIONAL | Codec.ZSTD
    assert log.append(batch("a", producer=(7, 3, 0), transactional=True), transactional=True) == (0, NO_TIMESTAMP)
    assert log.end_offset == 1, "a duplicate is known by its sequence, whatever the codec"


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_level_of_the_topic_is_used(tmp_path: Path, codec: str) -> None:
    """A higher level takes less room for what is hard to compress."""
    levels = {"gzip": ("1", "9"), "lz4": ("1", "12"), "zstd": ("-50", "19")}[codec]
    text = b"".join(b"%d %d;" % (number * 7_919 % 1_000, number % 17) for number in range(5_000))
    sizes: list[int] = []
    for level in levels:
        log = open_partition(tmp_path / level, compression_type=codec, **{f"compression_{codec}_level": level})
        log.append(encode_batch([(b"k", text)], NOW))
        sizes.append(len(stored(log)))
    assert sizes[0] > sizes[1]


def test_batch_that_grows_beyond_the_topics_limit_is_refused(tmp_path: Path) -> None:
    log = open_partition(tmp_path, compression_type="uncompressed", max_message_bytes="5000")
    content = packed(Codec.ZSTD, body_of(encode_batch([(b"k", b"x" * 20_000)], NOW)), 1)
    assert len(content) < 5_000
    with pytest.raises(AppendRefused) as refused:
        log.append(content)
    assert refused.value.code is ErrorCode.message_too_large
    assert log.end_offset == 0


def test_records_that_do_not_parse_are_not_compressed_anew(tmp_path: Path) -> None:
    log = open_partition(tmp_path, compression_type="gzip")
    with pytest.raises(AppendRefused) as refused:
        log.append(packed(Codec.ZSTD, b"\xff" * 100, 3))
    assert refused.value.code is ErrorCode.corrupt_message


@pytest.mark.parametrize("policy", ["compact", "delete"])
def test_log_append_time_holds_for_a_batch_of_another_codec(tmp_path: Path, policy: str) -> None:
    log = open_partition(
        tmp_path, compression_type="lz4", message_timestamp_type="LogAppendTime", cleanup_policy=policy
    )
    assert log.append(batch("a", "b", timestamp=5)) == (0, NOW)
    found = stored(log)
    header = read_header(found)
    assert header.attributes == LOG_APPEND_TIME | Codec.LZ4
    assert (header.crc, header.max_timestamp) == (checksum(found), NOW)
    assert [one.timestamp for one in decode_batch(found)] == [NOW, NOW]


# -- timestamps and keys -----------------------------------------------------------------------------------------------
def test_record_without_a_timestamp_is_in_every_range(tmp_path: Path) -> None:
    log = open_partition(tmp_path, message_timestamp_before_max_ms="1000")
    assert log.append(batch("a", timestamp=NO_TIMESTAMP)) == (0, NO_TIMESTAMP)


def test_record_of_the_future_is_named(tmp_path: Path) -> None:
    """In Kafka's words, with the range that holds."""
    log = open_partition(tmp_path, message_timestamp_after_max_ms="1000")
    log.append(batch("a", timestamp=NOW + 1_000))
    with pytest.raises(AppendRefused) as refused:
        log.append(batch("a", "b", timestamp=NOW + 1_001))
    assert refused.value.code is ErrorCode.invalid_timestamp
    assert refused.value.message == "One or more records have been rejected due to invalid timestamp"
    assert refused.value.record_errors[1] == (
        1,
        f"Timestamp {NOW + 1_001} of message with offset 1 is out of range. The timestamp should be within "
        f"[{NOW - (2**63 - 1)}, {NOW + 1_000}]",
    )


def test_keyless_records_are_counted_in_the_message(tmp_path: Path) -> None:
    log = open_partition(tmp_path, cleanup_policy="compact")
    with pytest.raises(AppendRefused) as refused:
        log.append(encode_batch([(None, b"v"), (b"k", b"v"), (None, b"v")], NOW))
    assert refused.value.message.startswith("One or more records have been rejected due to 2 record errors in total")
    assert refused.value.record_errors[1] == (
        2,
        "Compacted topic cannot accept message without key in topic partition t-0.",
    )


# -- bombs -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD])
def test_batch_that_inflates_beyond_the_limit_is_refused(
    tmp_path: Path, codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "MIN_INFLATED_LIMIT", 1_000_000)
    monkeypatch.setattr(compression, "MAX_RATIO", 2)
    log = open_partition(tmp_path, cleanup_policy="compact")
    fits = body_of(encode_batch([(b"k", bytes(999_000))], NOW))
    assert decompress(codec, compress(codec, fits)) == fits
    log.append(packed(codec, fits, 1))
    with pytest.raises(AppendRefused) as refused:
        log.append(packed(codec, body_of(encode_batch([(b"k", bytes(1_000_001))], NOW)), 1))
    assert refused.value.code is ErrorCode.message_too_large, "with which a producer splits the batch"
    assert log.end_offset == 1


def test_batch_of_more_records_than_are_looked_at_is_refused(tmp_path: Path) -> None:
    log = open_partition(tmp_path, cleanup_policy="compact")
    with pytest.raises(AppendRefused) as refused:
        log.append(packed(Codec.ZSTD, bytes(8 * MAX_RECORDS), MAX_RECORDS + 1))
    assert refused.value.code is ErrorCode.message_too_large
    plain = open_partition(tmp_path / "plain")
    assert plain.append(packed(Codec.ZSTD, bytes(8 * MAX_RECORDS), MAX_RECORDS + 1)) == (0, NO_TIMESTAMP)


def test_several_frames_of_a_codec_are_one_content() -> None:
    """As writers that flush in between make them."""
    for codec in (Codec.GZIP, Codec.ZSTD):
        assert decompress(codec, compress(codec, b"one, ") + compress(codec, b"two")) == b"one, two"


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.LZ4, Codec.ZSTD])
def test_content_that_ends_early_is_refused(codec: Codec) -> None:
    content = compress(codec, bytes(range(256)) * 100)
    with pytest.raises((ValueError, cramjam.DecompressionError, OSError)):
        decompress(codec, content[:-5])
