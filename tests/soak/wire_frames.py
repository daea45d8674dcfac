"""Frames for a broker that must stand anything: real ones, real ones with damage, and well-formed nonsense."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from random import Random
from typing import Any
from uuid import uuid4

from kio.index import load_request_schema
from kio.serial import entity_writer

from broker.protocol.advertised import ADVERTISED
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import encode_batch
from tests.broker.entities import random_entity
from tests.soak.wire_traffic import NOW, TOPICS

WORDS = (
    *TOPICS, "", "fuzz-missing", "group", "tx", "range", "consumer", "client", "max.message.bytes", "1", "x" * 300,
    "^fuzz-.*", "uniform", "User:ann", "user", "ann", "client-id", "producer_byte_rate", "PLAIN", "SCRAM-SHA-256",
    "kafka-cluster", "group.version", "consumer.session.timeout.ms",
)  # fmt: skip
NUMBERS = (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff\x0f")
VERSIONS = [
    (key, version)
    for key, (low, high) in ADVERTISED.items()
    for version in range(max(low, 3 if key is ApiKey.PRODUCE else 0), high + 1)
]


def with_size(payload: bytes) -> bytes:
    return struct.pack(">i", len(payload)) + payload


class FrameMaker:
    """Frames without end; the same ones for the same seed and recording."""

    def __init__(self, random: Random, recorded: list[bytes]) -> None:
        self.random = random
        self.recorded = recorded
        self.correlation_id = 0

    def header(self, key: int, version: int, *, flexible: bool) -> bytes:
        self.correlation_id += 1
        head = struct.pack(">hhih", key, version, self.correlation_id, 4) + b"fuzz"
        return head + b"\0" if flexible else head

    def well_formed(self) -> bytes:
        """A request that parses, of any API and version, with odd values in it."""
        key, version = self.random.choice(VERSIONS)
        entity_type = load_request_schema(key, version)
        return self.request(key, version, self.tamed(key, random_entity(entity_type, self.random, WORDS)))

    def request(self, key: int, version: int, entity: Any) -> bytes:
        entity_type = type(entity)
        out = io.BytesIO()
        out.write(self.header(key, version, flexible=entity_type.__flexible__))
        entity_writer(entity_type)(out, entity)
        return with_size(out.getvalue())

    def tamed(self, key: ApiKey, entity: Any) -> Any:
        """Without what takes its time even where it is meant: thousands of partitions; and with batches in place."""
        if key is ApiKey.CREATE_TOPICS:
            return replace(
                entity,
                topics=tuple(replace(topic, num_partitions=min(topic.num_partitions, 4)) for topic in entity.topics),
            )
        if key is ApiKey.CREATE_PARTITIONS:
            return replace(entity, topics=tuple(replace(topic, count=min(topic.count, 4)) for topic in entity.topics))
        if key is ApiKey.PRODUCE and self.random.random() < 0.7:
            return replace(
                entity,
                topic_data=tuple(
                    replace(
                        topic,
                        partition_data=tuple(replace(line, records=self.batch()) for line in topic.partition_data),
                    )
                    for topic in entity.topic_data
                ),
            )
        return entity

    def batch(self) -> bytes:
        """A batch, which is whole in half of the cases."""
        batch = bytes(
            encode_batch(
                [(self.random.choice((b"k", None)), b"v" * self.random.randrange(50))] * self.random.randrange(1, 4),
                NOW,
                attributes=self.random.choice((0, 0, 0, 1, 2, 3, 4, 0x10, 0x20)),
                producer_id=self.random.choice((-1, -1, 0, 1, 5)),
                producer_epoch=self.random.choice((-1, 0, 1)),
                base_sequence=self.random.choice((-1, 0, 1)),
            )
        )
        return batch if self.random.random() < 0.5 else self.damaged(batch)

    def random_bytes(self) -> bytes:
        """A header that is served, and anything after it; or nothing but noise."""
        random = self.random
        body = random.randbytes(random.choice((0, 1, 5, 20, 100, 1_000)))
        if random.random() < 0.2:
            return with_size(body + bytes(10))
        key, version = random.choice(VERSIONS)
        if random.random() < 0.5:
            body = bytes(random.choice((0, 0, 1, 1, 2, 3, 255, 127, 128)) for _ in range(random.randrange(80)))
        return with_size(self.header(key, version, flexible=random.random() < 0.5) + body)

    def mutated(self) -> bytes:
        """A real request with damage; mostly with the size that it has then."""
        frame = self.random.choice(self.recorded)
        payload = frame[4:]
        damaged = payload[:8] + self.damaged(payload[8:]) if self.random.random() < 0.9 else self.damaged(payload)
        if self.random.random() < 0.05:
            return frame[:4] + damaged
        return with_size(damaged)

    def damaged(self, data: bytes) -> bytes:
        content = bytearray(data)
        random = self.random
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            if not content:
                break
            at = random.randrange(len(content))
            match random.randrange(7):
                case 0:
                    content[at] ^= 1 << random.randrange(8)
                case 1:
                    content[at] = random.randrange(256)
                case 2:
                    number = random.choice(NUMBERS)
                    content[at : at + len(number)] = number
                case 3:
                    del content[at : at + random.choice((1, 2, 4, 16))]
                case 4:
                    content[at:at] = random.randbytes(random.choice((1, 2, 4, 16)))
                case 5:
                    del content[at:]
                case _:
                    other = random.choice(self.recorded) if self.recorded else b"xxxx"
                    content[at:] = other[random.randrange(len(other)) :]
        return bytes(content)

    def oversize(self) -> bytes:
        """A size that nothing follows, too large, negative or a lie."""
        return (
            struct.pack(">i", self.random.choice((2**31 - 1, -1, -(2**31), 0, 9, 104_857_601, 50_000_000))) + b"x" * 20
        )

    def client(self) -> tuple[list[bytes], bytes]:
        """What one connection sends: whole frames, and at its end perhaps half a one."""
        random = self.random
        frames = [self.well_formed() for _ in range(random.randrange(6))]
        frames += [random.choice(self.recorded) for _ in range(random.randrange(2))]
        random.shuffle(frames)
        frames.append(self.mutated() if random.random() < 0.7 else self.random_bytes())
        rest = b""
        if random.random() < 0.05:
            rest = self.oversize()
        elif random.random() < 0.1:
            frame = random.choice(self.recorded)
            rest = frame[: random.randrange(len(frame))]
        return frames, rest


def unique_topic() -> str:
    return f"bystander-{uuid4().hex}"
