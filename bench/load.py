"""A steady load in a process of its own: `python -m bench.load SERVERS TOPIC RATE SECONDS USERS BEGIN`.

Record i is due at BEGIN (seconds since the epoch) + i / RATE and is of user i modulo USERS; one that is sent late does
not move those behind it, so that a reader who counts from when records were due misses no wait.
"""

from __future__ import annotations

import sys
import time

import msgspec
from confluent_kafka import Producer

from bench.events import Event

NAP_S = 0.001


def main(bootstrap_servers: str, topic: str, rate: int, seconds: float, users: int, begin: float) -> None:
    producer = Producer({"bootstrap.servers": bootstrap_servers, "partitioner": "murmur2_random", "linger.ms": 1})
    encode = msgspec.json.Encoder().encode
    keys = [f"u{i}" for i in range(users)]
    sent, end = 0, int(rate * seconds)
    while sent < end:
        due = min(int((time.time() - begin) * rate) + 1, end)
        if due <= sent:
            time.sleep(NAP_S)
            continue
        for i in range(sent, due):
            key, ts = keys[i % users], int((begin + i / rate) * 1000)
            producer.produce(topic, encode(Event(key, 1.0, ts)), key, timestamp=ts)
        sent = due
        producer.poll(0)
    producer.flush(30)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
