"""Fetch, ListOffsets and OffsetForLeaderEpoch: all versions, odd offsets, limits, epochs, sessions."""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import HEADER_SIZE, LENGTH_OVERHEAD, checksum
from broker.protocol.compression import Codec, compress
from tests.differential.requests import TIME, batch, fetch, list_offsets, produce
from tests.differential.session import Session

NOBODY = UUID("00000000-0000-0000-0000-00000000beef")


def play(session: Session) -> None:
    identity = session.make_topic("t", 2)
    for number in range(3):
        data = batch(f"{number}a", f"{number}b", f"{number}c", timestamp=TIME + number * 1000)
        session.quietly(ApiKey.PRODUCE, 9, **produce(data))
    for version in range(4, 19):
        session.ask("from the start", ApiKey.FETCH, version, **fetch(0, topic_id=identity))
    offsets_and_limits(session)
    refused(session)
    for version in range(1, 12):
        session.ask("latest", ApiKey.LIST_OFFSETS, version, **list_offsets(-1))
        session.ask("by time", ApiKey.LIST_OFFSETS, version, **list_offsets(TIME + 500))
    times(session)
    epochs(session)
    sessions(session, identity)
    compressed(session)


def compressed(session: Session) -> None:
    """zstd for clients that may not know it: before Fetch 10."""
    plain = batch("a" * 100)
    packed = bytearray(plain[:HEADER_SIZE] + compress(Codec.ZSTD, plain[HEADER_SIZE:]))
    packed[8:12] = struct.pack(">i", len(packed) - LENGTH_OVERHEAD)
    packed[21:23] = struct.pack(">h", Codec.ZSTD)
    packed[17:21] = struct.pack(">I", checksum(packed))
    for name, chosen in (("by-producer", "producer"), ("by-topic", "zstd")):
        identity = session.make_topic(name, compression_type=chosen)
        session.ask(f"zstd {name}", ApiKey.PRODUCE, 6, **produce(bytes(packed), name))
        session.ask(f"zstd {name}", ApiKey.PRODUCE, 7, **produce(bytes(packed), name))
        for version in (4, 9, 10, 13):
            session.ask(f"zstd {name}", ApiKey.FETCH, version, **fetch(0, name, topic_id=identity))


def offsets_and_limits(session: Session) -> None:
    for offset in (1, 2, 3, 5, 8, 9):
        session.ask(f"from {offset}", ApiKey.FETCH, 12, **fetch(offset))
    for offset in (10, 1000, -1, -2):
        session.ask(f"out of range at {offset}", ApiKey.FETCH, 12, **fetch(offset))
    session.ask("one byte of a partition", ApiKey.FETCH, 12, **fetch(0, partition_max_bytes=1))
    session.ask("one byte in all", ApiKey.FETCH, 12, **fetch(4, max_bytes=1))
    session.ask("no bytes", ApiKey.FETCH, 12, **fetch(0, partition_max_bytes=0))
    session.ask("one batch and a bit", ApiKey.FETCH, 12, **fetch(0, partition_max_bytes=120))
    session.ask("two batches in all", ApiKey.FETCH, 12, **fetch(0, max_bytes=170))
    session.ask("more than there is, without time", ApiKey.FETCH, 12, **fetch(0, min_bytes=100_000))
    session.ask("more than there is, with time", ApiKey.FETCH, 12, **fetch(0, min_bytes=100_000, wait_ms=50))
    session.ask("at the end, with time", ApiKey.FETCH, 12, **fetch(9, min_bytes=1, wait_ms=50))
    session.ask("empty partition", ApiKey.FETCH, 12, **fetch(0, partition=1))
    session.ask("read committed", ApiKey.FETCH, 12, **fetch(0, isolation=1))
    both = fetch(0, partition_max_bytes=1, max_bytes=1)
    both["topics"][0]["partitions"].append({**both["topics"][0]["partitions"][0], "partition": 1})
    session.ask("two partitions within one byte", ApiKey.FETCH, 12, **both)
    session.send(
        "waits for a record", ApiKey.FETCH, 12, on="waiting", **fetch(0, partition=1, min_bytes=1, wait_ms=9000)
    )
    session.quietly(ApiKey.PRODUCE, 9, **produce(batch("late"), partition=1))
    session.receive("waiting")


def refused(session: Session) -> None:
    session.ask("unknown topic", ApiKey.FETCH, 12, **fetch(0, "unknown"))
    session.ask("unknown topic id", ApiKey.FETCH, 13, **fetch(0, topic_id=NOBODY))
    session.ask("unknown partition", ApiKey.FETCH, 12, **fetch(0, partition=7))
    session.ask("no topics", ApiKey.FETCH, 12, **{**fetch(0), "topics": []})
    session.ask("an epoch of the future", ApiKey.FETCH, 12, **fetch(0, epoch=5))
    session.ask("this epoch", ApiKey.FETCH, 12, **fetch(0, epoch=0))
    session.ask("last fetched epoch of the future", ApiKey.FETCH, 12, **fetch(0, last_epoch=5))
    session.ask("last fetched epoch", ApiKey.FETCH, 12, **fetch(3, last_epoch=0))
    session.ask("isolation 2", ApiKey.FETCH, 12, **fetch(0, isolation=2))


def times(session: Session) -> None:
    for what, timestamp in (
        ("earliest", -2),
        ("greatest timestamp", -3),
        ("earliest local", -4),
        ("latest tiered", -5),
        ("earliest pending upload", -6),
        ("beyond", TIME + 99_999),
        ("exactly", TIME + 1000),
        ("zero", 0),
        ("below all codes", -7),
    ):
        session.ask(what, ApiKey.LIST_OFFSETS, 11, **list_offsets(timestamp))
    session.ask("greatest timestamp, of old", ApiKey.LIST_OFFSETS, 6, **list_offsets(-3))
    session.ask("earliest local, of old", ApiKey.LIST_OFFSETS, 7, **list_offsets(-4))
    session.ask("greatest timestamp of nothing", ApiKey.LIST_OFFSETS, 7, **list_offsets(-3, partition=1))
    session.ask("unknown topic", ApiKey.LIST_OFFSETS, 7, **list_offsets(-1, "unknown"))
    session.ask("unknown partition", ApiKey.LIST_OFFSETS, 7, **list_offsets(-1, partition=9))
    session.ask("an epoch of the future", ApiKey.LIST_OFFSETS, 7, **list_offsets(-1, epoch=5))
    session.ask("this epoch", ApiKey.LIST_OFFSETS, 7, **list_offsets(-1, epoch=0))
    session.ask("read committed", ApiKey.LIST_OFFSETS, 7, **list_offsets(-1, isolation=1))
    twice = list_offsets(-1)
    twice["topics"][0]["partitions"] *= 2
    session.ask("the same partition twice", ApiKey.LIST_OFFSETS, 7, **twice)


def epochs(session: Session) -> None:
    def epoch(what: str, version: int, asked: int, *, current: int = -1, name: str = "t", partition: int = 0) -> None:
        line = {"partition": partition, "current_leader_epoch": current, "leader_epoch": asked}
        topics = [{"topic": name, "partitions": [line]}]
        session.ask(what, ApiKey.OFFSET_FOR_LEADER_EPOCH, version, replica_id=-2, topics=topics)

    for version in (2, 3, 4):
        epoch("this", version, 0)
    epoch("of the future", 4, 3)
    epoch("none", 4, -1)
    epoch("this, by one who thinks it over", 4, 0, current=5)
    epoch("unknown topic", 4, 0, name="unknown")
    epoch("unknown partition", 4, 0, partition=9)


def sessions(session: Session, identity: UUID) -> None:
    """Incremental fetch sessions (KIP-227)."""

    def within(what: str, number: int, epoch: int, offset: int | None, **more: Any) -> Any:
        asked = fetch(offset or 0, topic_id=identity, session_id=number, session_epoch=epoch)
        if offset is None:
            asked["topics"] = []
        return session.ask(what, ApiKey.FETCH, 13, **{**asked, **more})

    opened = within("a session is opened", 0, 0, 0)
    number = opened.session_id
    within("nothing changed", number, 1, None)
    within("moved to the end", number, 2, 9)
    within("nothing new", number, 3, None)
    session.quietly(ApiKey.PRODUCE, 9, **produce(batch("news")))
    within("news", number, 4, None)
    within("an epoch again", number, 4, None)
    within("an epoch too far", number, 9, None)
    forgotten = [{"topic": "t", "topic_id": identity, "partitions": (0,)}]
    within("forgotten", number, 5, None, forgotten_topics_data=forgotten)
    within("closed", number, -1, None)
    within("gone", number, 6, None)
    within("never was", 12345, 1, None)
