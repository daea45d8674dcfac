"""`python -m tests.soak.endurance.load SERVERS`: visits at a steady rate, from a process of its own.

Orders come on stdin, a line each: `rate N` (visits a second from now on), `close` (sends what closes all windows, tells
how many visits were sent, and ends). Users come and go: new ones sign up, those of a while ago leave for good and are
deleted from their table, so that no key lives as long as the run.
"""

from __future__ import annotations

import random
import select
import sys
import time

import msgspec
from confluent_kafka import Producer

from tests.soak.endurance.topology import PARTITIONS, User, Visit

ACTIVE, STAY, NEW_PER_S = 3_000, 1_000, 20
"""Users who visit; how many stay in the table after their last visit; how many come and go each second."""
PAGES = 2_000
TICK_S = 0.01
LAST = 50 * PARTITIONS
PLANS = ("free", "team", "company")
LATER_MS = 3_600_000
"""So far ahead of all others are the records that close the windows."""


class Load:
    """Sends what is due. The clock is the real one: visits carry it, and the rate is kept by it."""

    def __init__(self, producer: Producer, draw: random.Random) -> None:
        self.sent = 0
        self._producer = producer
        self._draw = draw
        self._newest = 0
        self._rate = 0
        self._since = (time.monotonic(), 0)
        self._began = time.monotonic()
        self._encode = msgspec.json.Encoder().encode
        self._sign_up(ACTIVE)

    def at(self, rate: int) -> None:
        self._rate, self._since = rate, (time.monotonic(), self.sent)

    def tick(self) -> None:
        """Sends what is due by now."""
        began, already = self._since
        self._sign_up(int(ACTIVE + (time.monotonic() - self._began) * NEW_PER_S) - self._newest)
        draw, milliseconds = self._draw.random, int(time.time() * 1000)
        oldest = self._newest - ACTIVE
        for _ in range(int((time.monotonic() - began) * self._rate) + already - self.sent):
            visit = Visit(f"page-{int(draw() * PAGES)}", int(draw() * 1000))
            self._send("visits", f"u{oldest + int(draw() * ACTIVE)}", self._encode(visit), milliseconds)
            self.sent += 1
        self._producer.poll(0)

    def close(self) -> None:
        """Visits much later than all others, in every partition, and to pages of every partition behind the re-key:
        time goes on where records come. They are in no window that closes."""
        later = int(time.time() * 1000) + LATER_MS
        for number in range(LAST):
            value = self._encode(Visit(f"last-{number}", 0))
            self._producer.produce("visits", value, "last", number % PARTITIONS, timestamp=later)
        left = self._producer.flush(60)
        assert left == 0, f"{left} records did not get to the broker"

    def _sign_up(self, number: int) -> None:
        for user in range(self._newest, self._newest + number):
            self._send("users", f"u{user}", self._encode(User(self._draw.choice(PLANS))), int(time.time() * 1000))
            if user >= ACTIVE + STAY:
                self._send("users", f"u{user - ACTIVE - STAY}", None, int(time.time() * 1000))
        self._newest += number

    def _send(self, topic: str, key: str, value: bytes | None, timestamp: int) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, timestamp=timestamp)
                return
            except BufferError:
                self._producer.poll(0.05)


def main(servers: str) -> None:
    load = Load(
        Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "linger.ms": 20,
                "partitioner": "murmur2_random",
                "delivery.report.only.error": True,
            }
        ),
        random.Random(1),
    )
    while True:
        if select.select([sys.stdin], [], [], TICK_S)[0]:
            match sys.stdin.readline().split():
                case ["rate", number]:
                    load.at(int(number))
                case _:
                    break
        load.tick()
    load.close()
    print(load.sent, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
