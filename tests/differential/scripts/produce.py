"""Produce: all versions, and every batch that is refused."""

from __future__ import annotations

import gzip
import struct
from uuid import UUID

from crc32c import crc32c

from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import CONTROL, LOG_APPEND_TIME, TRANSACTIONAL, encode_batch
from tests.differential.requests import TIME, batch, fetch, list_offsets, produce
from tests.differential.session import Session

NOBODY = UUID("00000000-0000-0000-0000-00000000beef")


def play(session: Session) -> None:
    identity = session.make_topic("t", 2)
    for version in range(3, 14):
        session.ask("one record", ApiKey.PRODUCE, version, **produce(batch(f"v{version}"), topic_id=identity))
    places(session)
    headers(session)
    oddities(session)
    contents(session)
    sequences(session)


def places(session: Session) -> None:
    session.ask("unknown topic", ApiKey.PRODUCE, 9, **produce(batch("x"), "unknown"))
    session.ask("bad topic name", ApiKey.PRODUCE, 9, **produce(batch("x"), "b a d"))
    session.ask("unknown topic id", ApiKey.PRODUCE, 13, **produce(batch("x"), topic_id=NOBODY))
    session.ask("unknown partition", ApiKey.PRODUCE, 9, **produce(batch("x"), partition=2))
    session.ask("negative partition", ApiKey.PRODUCE, 9, **produce(batch("x"), partition=-1))
    session.ask("acks of one", ApiKey.PRODUCE, 9, **produce(batch("acks 1"), acks=1))
    session.ask("acks of two", ApiKey.PRODUCE, 9, **produce(batch("x"), acks=2))
    session.ask("nothing at all", ApiKey.PRODUCE, 9, transactional_id=None, acks=-1,
                timeout=produce(None)["timeout"], topic_data=[])  # fmt: skip
    session.ask("no bytes", ApiKey.PRODUCE, 9, **produce(b""))
    both = produce(batch("to partition 1"), partition=1)
    both["topic_data"][0]["partition_data"].append({"index": 5, "records": batch("x")})
    session.ask("two partitions, one of them unknown", ApiKey.PRODUCE, 9, **both)
    session.ask("internal topic", ApiKey.PRODUCE, 9, **produce(batch("x"), "__consumer_offsets"))


def patched(data: bytes, *, base: int | None = None, crc: bool = True, at: dict[int, bytes] | None = None) -> bytes:
    """A batch with bytes at places replaced; `crc`: the checksum is made right again."""
    changed = bytearray(data)
    for place, value in (at or {}).items():
        changed[place : place + len(value)] = value
    if base is not None:
        changed[:8] = struct.pack(">q", base)
    if crc:
        changed[17:21] = struct.pack(">I", crc32c(bytes(changed[21:])))
    return bytes(changed)


def headers(session: Session) -> None:
    good = batch("a", "b")

    def put(what: str, data: bytes, version: int = 9) -> None:
        session.ask(what, ApiKey.PRODUCE, version, **produce(data))

    put("wrong checksum", patched(good, crc=False, at={17: b"\0\0\0\0"}))
    put("wrong checksum, of old", patched(good, crc=False, at={17: b"\0\0\0\0"}), 3)
    put("flipped bit in a record", patched(good, crc=False, at={70: b"\xff"}))
    put("magic 1", patched(good, at={16: b"\1"}))
    put("magic 3", patched(good, at={16: b"\3"}))
    put("base offset 7", patched(good, base=7))
    put("negative base offset", patched(good, base=-1))
    put("leader epoch 5", patched(good, at={12: struct.pack(">i", 5)}))
    put("length too small", patched(good, at={8: struct.pack(">i", 20)}))
    put("length too large", patched(good, at={8: struct.pack(">i", len(good))}))
    put("negative length", patched(good, at={8: struct.pack(">i", -1)}))
    put("cut", good[:-1])
    put("cut in the header", good[:40])
    put("a few bytes", b"\0\0\0")
    put("two batches", good + good)
    put("last offset delta too small", patched(good, at={23: struct.pack(">i", 0)}))
    put("last offset delta too large", patched(good, at={23: struct.pack(">i", 9)}))
    put("negative last offset delta", patched(good, at={23: struct.pack(">i", -1)}))
    put("count too small", patched(good, at={57: struct.pack(">i", 1)}))
    put("count zero", patched(good, at={57: struct.pack(">i", 0)}))
    put("negative count", patched(good, at={57: struct.pack(">i", -1)}))
    put("empty batch", bytes(encode_batch([], TIME)))
    put("control batch", batch("x", attributes=CONTROL))
    put("transactional without a producer", batch("x", attributes=TRANSACTIONAL))
    put("unused attribute bits", patched(good, at={21: b"\xff\x80"}))
    put("negative timestamp", batch("x", timestamp=-1))
    put("far future", batch("x", timestamp=4_000_000_000_000))
    put("producer id without a sequence", patched(good, at={43: struct.pack(">qhi", 5, 0, -1)}))
    put("producer id without an epoch", patched(good, at={43: struct.pack(">qhi", 5, -1, 0)}))
    session.ask("what is there", ApiKey.FETCH, 12, **fetch(0))
    session.ask("the greatest timestamp", ApiKey.LIST_OFFSETS, 7, **list_offsets(-3))


def oddities(session: Session) -> None:
    """What one broker takes and another does not goes to a topic of its own."""
    good = batch("a", "b")
    for number, (what, data) in enumerate(
        {
            "codec 5": patched(good, at={21: b"\0\5"}),
            "codec 7": patched(good, at={21: b"\0\7"}),
            "log append time asked for": batch("append", attributes=LOG_APPEND_TIME),
            "max timestamp too small": patched(good, at={35: struct.pack(">q", TIME - 5)}),
            "max timestamp too large": patched(good, at={35: struct.pack(">q", TIME + 5)}),
            "gzip that is none": patched(good, at={21: b"\0\1"}),
            "one batch and rubbish": good + b"rubbish",
        }.items()
    ):
        name = f"odd-{number}"
        session.make_topic(name)
        session.ask(what, ApiKey.PRODUCE, 9, **produce(data, name))
        session.ask(what, ApiKey.FETCH, 12, **fetch(0, name))
        session.ask(what, ApiKey.LIST_OFFSETS, 7, **list_offsets(-3, name))


def contents(session: Session) -> None:
    session.make_topic("compacted", cleanup_policy="compact")
    session.make_topic("stamped", message_timestamp_type="LogAppendTime")
    session.make_topic("small", max_message_bytes="100")
    session.make_topic("present", message_timestamp_before_max_ms="1000", message_timestamp_after_max_ms="1000")
    session.make_topic("packed", compression_type="gzip")
    session.make_topic("plain", compression_type="uncompressed")

    def put(what: str, name: str, data: bytes, version: int = 9) -> None:
        session.ask(what, ApiKey.PRODUCE, version, **produce(data, name))

    keyless = bytes(encode_batch([(b"k", b"a"), (None, b"b"), (b"k", None), (None, None)], TIME))
    put("records without keys in a compacted topic", "compacted", keyless)
    put("the same, of old", "compacted", keyless, 7)
    put("with keys", "compacted", batch("a", "b"))
    put("log append time", "stamped", batch("a", "b"))
    session.ask("log append time", ApiKey.FETCH, 12, **fetch(0, "stamped"))
    put("as large as may be", "small", batch("x" * 31))
    put("one more", "small", batch("x" * 32))
    put("much more", "small", batch("x" * 1000))
    put("timestamps too old", "present", batch("a", "b"))
    put("timestamps too new", "present", batch("a", timestamp=4_000_000_000_000))
    for codec, name in ((1, "gzip"), (0, "none")):
        inner = batch("a" * 50, "b" * 50)
        packed = gzip.compress(inner[61:], mtime=0) if codec else inner[61:]
        whole = bytearray(inner[:61] + packed)
        whole[8:12] = struct.pack(">i", len(whole) - 12)
        whole[21:23] = struct.pack(">h", codec)
        put(f"{name} into gzip", "packed", patched(bytes(whole)))
        put(f"{name} into uncompressed", "plain", patched(bytes(whole)))
    broken = bytearray(batch("a"))
    broken[21:23] = struct.pack(">h", 1)
    put("gzip that is none", "plain", patched(bytes(broken)))
    session.ask("uncompressed", ApiKey.FETCH, 12, **fetch(0, "plain"))
    session.ask("compacted", ApiKey.FETCH, 12, **fetch(0, "compacted"))


def sequences(session: Session) -> None:
    session.make_topic("once", 2)
    given = session.ask("a producer id", ApiKey.INIT_PRODUCER_ID, 4, transactional_id=None,
                        transaction_timeout=produce(None)["timeout"], producer_id=-1, producer_epoch=-1)  # fmt: skip
    who = given.producer_id

    def put(what: str, epoch: int, sequence: int, *values: str, partition: int = 0) -> None:
        data = batch(*(values or ("x",)), producer=(who, epoch, sequence))
        session.ask(what, ApiKey.PRODUCE, 9, **produce(data, "once", partition=partition))

    put("first", 0, 0, "a", "b")
    put("first again", 0, 0, "a", "b")
    put("first again, of another length", 0, 0, "a")
    put("second", 0, 2)
    put("a gap", 0, 4)
    put("third to seventh", 0, 3)
    for sequence in range(4, 9):
        put(f"sequence {sequence}", 0, sequence)
    put("the oldest of five", 0, 4)
    put("older than five", 0, 3)
    put("next epoch, wrong sequence", 1, 9)
    put("next epoch", 1, 0)
    put("epoch before", 0, 9)
    put("another partition, any sequence", 1, 77, partition=1)
    put("negative sequence", 1, -2)
    session.ask("unknown producer", ApiKey.PRODUCE, 9, **produce(batch("u", producer=(77_777, 3, 5)), "once"))
    session.ask("producers", ApiKey.DESCRIBE_PRODUCERS, 0, topics=[{"name": "once", "partition_indexes": (0, 1, 2)}])
    session.ask("last of all", ApiKey.LIST_OFFSETS, 7, **list_offsets(-1, "once"))
    session.ask("log", ApiKey.FETCH, 12, **fetch(0, "once"))
