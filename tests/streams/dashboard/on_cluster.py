"""A worker of the shop that serves the dashboard, on a cluster with topics and records. It runs no task."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from streams.runtime import dead_letter
from tests.streams.query.shop import Group, Worker

HEADER = {"X-Headrace-Dashboard": "1", "Content-Type": "application/json"}
DEAD = "orders-dead"


class Answer(NamedTuple):
    status: int
    body: Any


class Site:
    """Asks the worker, and looks at the cluster past it."""

    def __init__(self, group: Group, servers: str, **options: Any) -> None:
        self.group = group
        self.servers = servers
        self.worker: Worker = group.worker(web=True, bootstrap_servers=servers, **options)

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.url(path)))

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask(urllib.request.Request(self.url(path), data, HEADER if headers is None else headers))

    def url(self, path: str) -> str:
        return f"http://{self.worker.endpoint}/dashboard/{path}"

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read()))

    def events(self, path: str) -> Events:
        return Events(self.url(path))


class Events:
    """Server-sent events as they come: (name, data)."""

    def __init__(self, url: str) -> None:
        self._response = urllib.request.urlopen(url, timeout=30)

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        name = ""
        for line in self._response:
            key, _, text = line.decode().rstrip("\n").partition(": ")
            if key == "event":
                name = text
            elif key == "data":
                yield name, json.loads(text)

    def records(self, count: int) -> list[dict[str, Any]]:
        """The next records, as many or more."""
        found: list[dict[str, Any]] = []
        for name, data in self:
            assert name in ("ready", "records"), data
            found += data.get("records", ())
            if len(found) >= count:
                break
        return found

    def until_live(self) -> dict[str, Any]:
        """The first batch after which everything that was there has been read; with all records so far."""
        found: list[dict[str, Any]] = []
        for name, data in self:
            if name == "records":
                found += data["records"]
                if data["live"]:
                    return {**data, "records": found}
        raise AssertionError("the tail ended")


def make_topics(servers: str, **partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    topics = [NewTopic(name.replace("_", "-"), number, 1) for name, number in partitions.items()]
    for future in admin.create_topics(topics).values():
        future.result(20)


def write(servers: str, topic: str, *records: tuple[Any, ...], headers: Sequence[tuple[str, bytes]] = ()) -> None:
    """Records (key, value, timestamp, partition), the last two if wanted."""
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random", "log_level": 0})
    for key, value, *more in records:
        timestamp, partition = (*more, *(0, -1)[len(more) :])
        producer.produce(topic, value, key, partition=partition, timestamp=timestamp, headers=list(headers))
    assert producer.flush(20) == 0


def read(servers: str, topic: str, partition: int, offset: int) -> Any:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "look", "log_level": 0})
    consumer.assign([TopicPartition(topic, partition, offset)])
    try:
        message = consumer.poll(20)
        assert message is not None
        assert message.error() is None
        return message
    finally:
        consumer.close()


def commit(servers: str, group: str, topic: str, offsets: dict[int, int]) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group, "log_level": 0})
    wanted = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
    consumer.commit(offsets=wanted, asynchronous=False)
    consumer.close()


def letter_headers(source: str, partition: int, offset: int, exception: str, message: str) -> list[tuple[str, bytes]]:
    """What a dead letter adds to the record's own."""
    return [
        (dead_letter.EXCEPTION, exception.encode()),
        (dead_letter.STACKTRACE, b"Traceback (most recent call last):\n  ..."),
        (dead_letter.MESSAGE, message.encode()),
        (dead_letter.TOPIC, source.encode()),
        (dead_letter.PARTITION, b"%d" % partition),
        (dead_letter.OFFSET, b"%d" % offset),
    ]
