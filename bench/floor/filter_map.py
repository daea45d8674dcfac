"""W1 as one hand-written loop."""

from __future__ import annotations

import sys
import time

import msgspec

from bench.floor.clients import consumer as make_consumer
from bench.floor.clients import producer as make_producer


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    consumer, producer = make_consumer(bootstrap_servers, group), make_producer(bootstrap_servers)
    consumer.subscribe([source])
    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    produce, committed = producer.produce, time.monotonic()
    while True:
        for m in consumer.consume(1000, 0.1):
            if m.error():
                raise RuntimeError(m.error())
            event = decode(m.value())
            if event.amount >= 50:
                value = encode(Cents(event.user, int(event.amount * 100), event.ts))
                while True:
                    try:
                        produce(sink, value, m.key(), timestamp=m.timestamp()[1])
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
