"""W2 as one hand-written loop: counts in a dict per partition, RocksDB and changelog written at each commit."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from struct import Struct

import msgspec
from confluent_kafka.admin import AdminClient, NewTopic
from rocksdict import Options, Rdict, WriteBatch

from bench.events import PARTITIONS
from bench.floor.clients import consumer as make_consumer
from bench.floor.clients import producer as make_producer

SIZE, GRACE = 10_000, 1_000


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Count(msgspec.Struct):
    count: int


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    changelog = f"{group}-changelog"
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(changelog, PARTITIONS, 1, config={"cleanup.policy": "compact"})])[changelog].result(
        20
    )
    consumer, producer = make_consumer(bootstrap_servers, group), make_producer(bootstrap_servers)
    consumer.subscribe([source])
    decode, encode, pack = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode, Struct(">q").pack
    stores = [Rdict(str(Path(state) / str(p)), Options(raw_mode=True)) for p in range(PARTITIONS)]
    counts: list[dict[tuple[bytes, int], tuple[int, int]]] = [{} for _ in range(PARTITIONS)]
    dirty: list[set[tuple[bytes, int]]] = [set() for _ in range(PARTITIONS)]
    clocks = [-1] * PARTITIONS
    produce, committed = producer.produce, time.monotonic()

    def send(topic: str, value: bytes, key: bytes, partition: int, timestamp: int) -> None:
        while True:
            try:
                produce(topic, value, key, partition, timestamp=timestamp)
                return
            except BufferError:
                producer.poll(0.1)

    while True:
        for m in consumer.consume(1000, 0.1):
            if m.error():
                raise RuntimeError(m.error())
            event = decode(m.value())
            partition, ts = m.partition(), event.ts
            if ts > clocks[partition]:
                clocks[partition] = ts
            start = ts - ts % SIZE
            if start + SIZE <= clocks[partition] - GRACE:
                continue
            row = (m.key(), start)
            known = counts[partition].get(row)
            if known is None:
                stored = stores[partition].get(row[0] + pack(start))
                known = (int.from_bytes(stored[8:], "big"), int.from_bytes(stored[:8], "big")) if stored else (0, ts)
            count = known[0] + 1
            latest = ts if ts > known[1] else known[1]
            counts[partition][row] = (count, latest)
            dirty[partition].add(row)
            value = encode(Count(count))
            try:
                produce(sink, value, row[0] + pack(start), timestamp=latest)
            except BufferError:
                send(sink, value, row[0] + pack(start), -1, latest)
        producer.poll(0)
        if time.monotonic() - committed >= 1:
            for partition, rows in enumerate(dirty):
                for row in rows:
                    count, latest = counts[partition][row]
                    send(changelog, count.to_bytes(8, "big"), row[0] + pack(row[1]), partition, latest)
            producer.flush()
            if any(p.offset >= 0 for p in consumer.position(consumer.assignment())):
                consumer.commit(asynchronous=False)
            for partition, rows in enumerate(dirty):
                batch = WriteBatch(raw_mode=True)
                for row in rows:
                    count, latest = counts[partition][row]
                    batch.put(row[0] + pack(row[1]), latest.to_bytes(8, "big") + count.to_bytes(8, "big"))
                stores[partition].write(batch)
                rows.clear()
                closed = clocks[partition] - SIZE - GRACE
                for row in [row for row in counts[partition] if row[1] < closed]:
                    del counts[partition][row]
            committed = time.monotonic()


if __name__ == "__main__":
    main(*sys.argv[1:6])
