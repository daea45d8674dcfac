"""What happens on a connection, byte by byte."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kio.index import load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader

from broker import Broker
from broker.protocol.advertised import ADVERTISED
from broker.protocol.batches import encode_batch
from tests.broker.waits import wait_for

API_VERSIONS, METADATA, PRODUCE, FETCH = 18, 3, 0, 1


def frame(key: int, version: int, correlation: int, body: bytes = b"") -> bytes:
    """A request with header v1."""
    payload = struct.pack(">hhih", key, version, correlation, 4) + b"test" + body
    return struct.pack(">i", len(payload)) + payload


def string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def metadata(correlation: int, topic: str) -> bytes:
    return frame(METADATA, 1, correlation, struct.pack(">i", 1) + string(topic))


def produce(correlation: int, topic: str, batch: bytes, acks: int = -1) -> bytes:
    body = struct.pack(">hhi", -1, acks, 1_000) + struct.pack(">i", 1) + string(topic)
    return frame(PRODUCE, 3, correlation, body + struct.pack(">iii", 1, 0, len(batch)) + batch)


def fetch(correlation: int, topic: str, offset: int, *, max_wait: int, min_bytes: int = 1) -> bytes:
    body = struct.pack(">iiiib", -1, max_wait, min_bytes, 1 << 20, 0) + struct.pack(">i", 1) + string(topic)
    return frame(FETCH, 4, correlation, body + struct.pack(">iiqi", 1, 0, offset, 1 << 20))


class Client:
    def __init__(self, broker: Broker) -> None:
        self.socket = socket.create_connection((broker.host, broker.port), timeout=20)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def answer(self) -> tuple[int, bytes]:
        """(correlation id, body) of the next answer."""
        (size,) = struct.unpack(">i", self.read(4))
        data = self.read(size)
        return struct.unpack(">i", data[:4])[0], data[4:]

    def is_closed(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


@contextmanager
def connect(broker: Broker) -> Iterator[Client]:
    client = Client(broker)
    try:
        yield client
    finally:
        client.socket.close()


def test_api_versions_lists_what_is_advertised(broker: Broker) -> None:
    with connect(broker) as client:
        client.send(frame(API_VERSIONS, 0, 9))
        correlation, body = client.answer()
    answer, _ = entity_reader(load_response_schema(API_VERSIONS, 0))(body, 0)
    assert correlation == 9
    assert {line.api_key: (line.min_version, line.max_version) for line in answer.api_keys} == dict(ADVERTISED)
    assert answer.api_keys[0].min_version == 0, "old clients look for Produce 0 before they compress"


def test_api_versions_of_the_future_is_answered_in_the_form_of_version_0(broker: Broker) -> None:
    """With whatever body; the client then asks again, on the same connection."""
    with connect(broker) as client:
        client.send(frame(API_VERSIONS, 99, 1, b"\x00\x07future"))
        _, body = client.answer()
        answer, size = entity_reader(load_response_schema(API_VERSIONS, 0))(body, 0)
        assert size == len(body)
        assert answer.error_code == ErrorCode.unsupported_version
        assert len(answer.api_keys) == len(ADVERTISED)
        client.send(frame(API_VERSIONS, 0, 2))
        assert client.answer()[0] == 2


def test_api_versions_refuses_a_strange_client_name(broker: Broker) -> None:
    with connect(broker) as client:
        client.send(frame(API_VERSIONS, 3, 1, b"\x00" + b"\x05a b!" + b"\x021" + b"\x00"))
        _, body = client.answer()
    assert struct.unpack(">h", body[:2])[0] == ErrorCode.invalid_request


def test_request_in_single_bytes_is_answered(broker: Broker) -> None:
    with connect(broker) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(API_VERSIONS, 0, 3):
            client.send(bytes((byte,)))
        assert client.answer()[0] == 3


def test_many_requests_at_once_are_answered_in_order(broker: Broker) -> None:
    with connect(broker) as client:
        client.send(b"".join(frame(API_VERSIONS, 0, number) for number in range(500)))
        assert [client.answer()[0] for _ in range(500)] == list(range(500))


def test_answers_keep_the_order_of_requests_behind_a_waiting_fetch(broker: Broker) -> None:
    """The produce that ends the wait comes on the same connection; its answer comes after the fetch's."""
    with connect(broker) as client:
        client.send(metadata(1, "order"))
        client.answer()
        client.send(fetch(2, "order", 0, max_wait=20_000) + frame(API_VERSIONS, 0, 3))
        client.send(produce(4, "order", bytes(encode_batch([(None, b"v")], 1_700_000_000_000))))
        assert [client.answer()[0] for _ in range(3)] == [2, 3, 4]


def test_fetch_waits_for_min_bytes(broker: Broker) -> None:
    """It is answered by the append that brings enough, with all there is."""
    batch = bytes(encode_batch([(None, b"v")], 1_700_000_000_000))
    with connect(broker) as reader, connect(broker) as writer:
        writer.send(metadata(1, "wait"))
        writer.answer()
        reader.send(fetch(5, "wait", 0, max_wait=20_000, min_bytes=len(batch) + 1))
        for number in range(2):
            reader.socket.settimeout(0.1)
            with pytest.raises(TimeoutError):
                reader.read(1)
            writer.send(produce(number, "wait", batch))
            writer.answer()
        reader.socket.settimeout(20)
        _, body = reader.answer()
        assert body.count(b"\x00\x00\x00\x01\x02v") + body.count(b"\x02v\x00") >= 2
        assert len(body) > 2 * len(batch)


def test_fetch_without_data_is_answered_after_max_wait(broker: Broker) -> None:
    with connect(broker) as client:
        client.send(metadata(1, "idle"))
        client.answer()
        client.send(fetch(2, "idle", 0, max_wait=50))
        _, body = client.answer()
        assert body.endswith(struct.pack(">i", 0)), "records are empty, not null"


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">i", 200_000_000) + b"x" * 100,
        struct.pack(">i", -5) + b"x" * 100,
        struct.pack(">i", 3) + b"x" * 100,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        frame(4_242, 0, 1),
        frame(PRODUCE, 2, 1),
        frame(METADATA, 99, 1),
        frame(METADATA, 1, 1, b"\x00\x00\xff\xff" + b"x" * 10),
        frame(PRODUCE, 3, 1, b"\xff\xff\xff\xff\x00\x00\x00\x00\x7f\xff\xff\xff"),
        frame(FETCH, 4, 1, b"\x00" * 5),
        frame(FETCH, 12, 1, b"\xff" * 60),
        struct.pack(">ihhih", 10, METADATA, 1, 1, 500),
    ],
)
def test_what_cannot_be_answered_closes_the_connection(broker: Broker, data: bytes) -> None:
    """And only that connection."""
    with connect(broker) as client, connect(broker) as other:
        client.send(data)
        assert client.is_closed()
        other.send(frame(API_VERSIONS, 0, 1))
        assert other.answer()[0] == 1


def test_produce_with_acks_0_has_no_answer(broker: Broker) -> None:
    with connect(broker) as client:
        client.send(metadata(1, "acks0"))
        client.answer()
        client.send(produce(2, "acks0", bytes(encode_batch([(None, b"v")], 1_700_000_000_000)), acks=0))
        client.send(fetch(3, "acks0", 0, max_wait=0))
        correlation, body = client.answer()
        assert correlation == 3
        assert b"v" in body[-3:]


def test_produce_with_acks_0_that_fails_closes_the_connection(broker: Broker) -> None:
    with connect(broker) as client:
        client.send(produce(2, "no-such-topic", b"x" * 80, acks=0))
        assert client.is_closed()


def test_client_that_does_not_read_is_not_read_from(broker: Broker) -> None:
    """Fetches of a megabyte each are not all answered into memory; whoever reads in the end gets them all."""
    requests = 60
    with connect(broker) as client:
        client.send(metadata(1, "slow"))
        client.answer()
        big = bytes(encode_batch([(None, b"x" * 900_000)], 1_700_000_000_000))
        client.send(produce(2, "slow", big))
        client.answer()
        before = resident_bytes(broker)
        sender = threading.Thread(
            target=client.send, args=(b"".join(fetch(number, "slow", 0, max_wait=0) for number in range(requests)),)
        )
        sender.start()
        wait_for(lambda: queue_is_full(client), "the answers fill the socket")
        assert resident_bytes(broker) - before < 20_000_000
        assert [client.answer()[0] for _ in range(requests)] == list(range(requests))
        sender.join()


def queue_is_full(client: Client) -> bool:
    """Something arrived, and nothing more does for a while."""
    import fcntl
    import time

    def waiting() -> int:
        return struct.unpack("i", fcntl.ioctl(client.socket, 0x541B, b"\0\0\0\0"))[0]

    first = waiting()
    time.sleep(0.1)
    return 0 < first == waiting()


def resident_bytes(broker: Broker) -> int:
    import psutil

    assert broker.process is not None
    return psutil.Process(broker.process.pid).memory_info().rss
