"""What real clients send, recorded between them and a broker."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    ElectionType,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from broker import Broker
from broker.options import BrokerOptions

PARTITIONS = 3
TOPICS = ("fuzz-plain", "fuzz-compact", "fuzz-other")
NOW = 1_700_000_000_000


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
    options = BrokerOptions(port=tap.target, advertised_port=tap.port, authorizer=True, super_users=("User:ANONYMOUS",))
    with Broker(options=options):
        servers = f"127.0.0.1:{tap.port}"
        librdkafka_session(servers)
        consumer_group_session(servers)
        administration_session(servers)
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


def consumer_group_session(servers: str) -> None:
    """Two members of the consumer group protocol, one of them static; one by a regular expression."""
    settings = {"bootstrap.servers": servers, "group.id": "consumer", "group.protocol": "consumer"}
    one = Consumer(settings | {"group.instance.id": "one"})
    one.subscribe([TOPICS[0]])
    two = Consumer(settings)
    two.subscribe(["^fuzz-.*"])
    while not one.assignment() or not two.assignment():
        one.poll(0.05)
        two.poll(0.05)
    for member in (one, two):
        member.commit(offsets=[TopicPartition(TOPICS[0], 0, 1)], asynchronous=False)
    two.close()
    one.close()


def administration_session(servers: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    at = TopicPartition(TOPICS[0], 0, 1)
    binding = (ResourceType.TOPIC, TOPICS[0], ResourcePatternType.LITERAL, "User:ann", "*")
    changes = [
        ConfigResource(
            kind, name, incremental_configs=[ConfigEntry(key, "-1", incremental_operation=AlterConfigOpType.SET)]
        )
        for kind, name, key in (
            (ResourceType.TOPIC, TOPICS[0], "retention.ms"),
            (ResourceType.BROKER, "1", "log.retention.ms"),
        )
    ]
    scram: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion("ann", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4_096), b"secret")
    ]
    finish(
        admin.create_partitions([NewPartitions(TOPICS[2], PARTITIONS + 1)]),
        admin.create_acls([AclBinding(*binding, AclOperation.READ, AclPermissionType.ALLOW)]),
        admin.describe_acls(AclBindingFilter(*binding, AclOperation.ANY, AclPermissionType.ANY)),
        admin.delete_acls([AclBindingFilter(*binding, AclOperation.ANY, AclPermissionType.ANY)]),
        admin.incremental_alter_configs(changes),
        admin.alter_user_scram_credentials(scram),
        admin.describe_user_scram_credentials(["ann"]),
        admin.delete_records([at]),
        admin.list_offsets({TopicPartition(TOPICS[0], 0): OffsetSpec.latest()}),
        admin.describe_cluster(include_authorized_operations=True),
        admin.describe_topics(TopicCollection(list(TOPICS)), include_authorized_operations=True),
        admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(TOPICS[0], 0)]),
        admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("consumer")]),
        admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions("consumer", [at])]),
        admin.describe_consumer_groups(["consumer"]),
        admin.delete_consumer_groups(["consumer"]),
        admin.delete_topics([TOPICS[2]]),
    )


def finish(*answers: Future[Any] | Mapping[Any, Future[Any]]) -> None:
    """Waits for all; what is refused was sent nevertheless."""
    for answer in answers:
        for future in answer.values() if isinstance(answer, Mapping) else (answer,):
            with suppress(KafkaException):
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
