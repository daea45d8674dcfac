"""Frames for a broker that must stand anything: real ones, real ones with damage, and well-formed nonsense."""

from __future__ import annotations

import asyncio
import io
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from kio.index import load_request_schema
from kio.serial import entity_writer

from broker import Broker
from broker.options import BrokerOptions
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import encode_batch
from tests.broker.entities import random_entity

PARTITIONS = 3
TOPICS = ("fuzz-plain", "fuzz-compact", "fuzz-other")
WORDS = (*TOPICS, "", "fuzz-missing", "group", "tx", "range", "consumer", "client", "max.message.bytes", "1", "x" * 300)
NUMBERS = (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff\x0f")
VERSIONS = [
    (key, version)
    for key, (low, high) in ADVERTISED.items()
    for version in range(max(low, 3 if key is ApiKey.PRODUCE else 0), high + 1)
]
NOW = 1_700_000_000_000


def with_size(payload: bytes) -> bytes:
    return struct.pack(">i", len(payload)) + payload


# -- real traffic ------------------------------------------------------------------------------------------------------
class Tap:
    """A proxy that keeps the frames that clients send."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.target = 0
        """Port of the broker."""
        self.frames: list[bytes] = []
        self.threads: list[threading.Thread] = []
        self.start(self.accept)

    def start(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self.start(self.copy, client, server, True)
                self.start(self.copy, server, client, False)

    def copy(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:
        pending = b""
        with suppress(OSError), source, sink:
            while data := source.recv(65_536):
                sink.sendall(data)
                if keep:
                    pending += data
                    while len(pending) >= 4 and len(pending) >= (end := 4 + struct.unpack(">i", pending[:4])[0]):
                        self.frames.append(pending[:end])
                        pending = pending[end:]

    def close(self) -> None:
        self.listener.close()


def record_traffic() -> list[bytes]:
    """What confluent-kafka and aiokafka send in a short life: topics, records, a group, a transaction, configs."""
    tap = Tap()
    with socket.create_server(("127.0.0.1", 0)) as free:
        tap.target = free.getsockname()[1]
    with Broker(options=BrokerOptions(port=tap.target, advertised_port=tap.port)):
        servers = f"127.0.0.1:{tap.port}"
        librdkafka_session(servers)
        asyncio.run(aiokafka_session(servers))
    tap.close()
    return [frame for frame in dict.fromkeys(tap.frames) if len(frame) < 20_000]


def librdkafka_session(servers: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    new = [NewTopic(name, PARTITIONS, 1) for name in TOPICS]
    for future in admin.create_topics(new).values():
        future.result(10)
    admin.describe_configs([ConfigResource(ResourceType.TOPIC, TOPICS[0])])
    for codec in ("none", "gzip", "lz4", "zstd", "snappy"):
        producer = Producer({"bootstrap.servers": servers, "compression.type": codec, "enable.idempotence": True})
        for number in range(20):
            producer.produce(TOPICS[number % 2], key=b"k", value=b"value" * 10, headers={"h": b"x"})
        producer.flush(10)
    producer = Producer({"bootstrap.servers": servers, "transactional.id": "tx"})
    producer.init_transactions(10)
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "group", "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPICS[0]])
    message = None
    while message is None:
        message = consumer.poll(1)
    producer.begin_transaction()
    producer.produce(TOPICS[1], key=b"k", value=b"v")
    producer.send_offsets_to_transaction(
        consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 10
    )
    producer.commit_transaction(10)
    consumer.commit(message, asynchronous=False)
    consumer.offsets_for_times([TopicPartition(TOPICS[0], 0, NOW)], 10)
    consumer.close()
    reader = Consumer({"bootstrap.servers": servers, "group.id": "other", "enable.auto.commit": False})
    reader.assign([TopicPartition(TOPICS[0], 0, OFFSET_BEGINNING)])
    reader.poll(1)
    reader.close()
    admin.list_consumer_groups().result(10)
    for future in admin.describe_consumer_groups(["group"]).values():
        future.result(10)


async def aiokafka_session(servers: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    await producer.send_and_wait(TOPICS[0], b"value")
    await producer.stop()
    consumer = AIOKafkaConsumer(TOPICS[0], bootstrap_servers=servers, group_id="aio", auto_offset_reset="earliest")
    await consumer.start()
    await consumer.getone()
    await consumer.commit()
    await consumer.stop()


# -- invented traffic --------------------------------------------------------------------------------------------------
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
        entity = self.tamed(key, random_entity(entity_type, self.random, WORDS))
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
