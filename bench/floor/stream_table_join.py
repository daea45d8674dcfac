"""W3 as one hand-written loop: users in a dict, written to RocksDB as they come; their topic is its changelog."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec
from confluent_kafka import TopicPartition
from rocksdict import Options, Rdict

from bench.events import PARTITIONS
from bench.floor.clients import consumer as make_consumer
from bench.floor.clients import producer as make_producer


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class User(msgspec.Struct):
    name: str


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    events, users = source.split(",")
    decode_user = msgspec.json.Decoder(User).decode
    store = Rdict(str(Path(state) / "users"), Options(raw_mode=True))
    names: dict[bytes, str] = {}
    table = make_consumer(bootstrap_servers, f"{group}-users")
    table.assign([TopicPartition(users, p, 0) for p in range(PARTITIONS)])
    left = sum(table.get_watermark_offsets(TopicPartition(users, p), timeout=10)[1] for p in range(PARTITIONS))
    while left > 0:
        for m in table.consume(1000, 0.1):
            if m.error():
                raise RuntimeError(m.error())
            store[m.key()] = m.value()
            names[m.key()] = decode_user(m.value()).name
            left -= 1

    consumer, producer = make_consumer(bootstrap_servers, group), make_producer(bootstrap_servers)
    consumer.subscribe([events])
    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    produce, committed = producer.produce, time.monotonic()
    while True:
        for m in table.consume(1000, 0):
            if m.error():
                raise RuntimeError(m.error())
            store[m.key()] = m.value()
            names[m.key()] = decode_user(m.value()).name
        for m in consumer.consume(1000, 0.1):
            if m.error():
                raise RuntimeError(m.error())
            key = m.key()
            name = names.get(key)
            if name is None:
                continue
            event = decode(m.value())
            value = encode(Cents(name, int(event.amount * 100), event.ts))
            while True:
                try:
                    produce(sink, value, key, timestamp=m.timestamp()[1])
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.poll(0)
        if time.monotonic() - committed >= 1:
            producer.flush()
            if any(p.offset >= 0 for p in consumer.position(consumer.assignment())):
                consumer.commit(asynchronous=False)
            committed = time.monotonic()


if __name__ == "__main__":
    main(*sys.argv[1:6])
