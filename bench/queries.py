"""`python -m bench.queries`: gets of single rows through a worker that does not have them, while the application works.

One bundled broker, two workers of a running count per user (JSON in, every update out, exactly once), four partitions.
First the rate of the application is measured, with a backlog and while the events are produced. Then they come at half
of the latter, at first alone and then with 32 connections that ask one worker for keys of the other, as fast as
`--gets` says. Everything runs on the same cores: broker, workers, the producer and the clients that ask.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from confluent_kafka import Producer

from bench.events import FIRST_TIMESTAMP
from bench.topics import PARTITIONS, create_topic
from broker import Broker
from streams.partitioner import partition_for_key

CONNECTIONS = 32


class Load:
    """Writes events, as fast as it is told."""

    def __init__(self, servers: str, topic: str, users: int) -> None:
        settings: dict[str, Any] = {"bootstrap.servers": servers, "partitioner": "murmur2_random", "linger.ms": 20}
        self._producer = Producer(settings | {"queue.buffering.max.messages": 2_000_000})
        self._topic = topic
        rng, encode = random.Random(7), msgspec.json.Encoder().encode
        names = [f"u{i % users}" for i in range(max(users, 50_000))]
        rng.shuffle(names)
        self._events = [(name, encode({"user": name, "amount": 1.5, "ts": FIRST_TIMESTAMP})) for name in names]
        self.sent = 0

    def send(self, count: int) -> None:
        produce, topic, events = self._producer.produce, self._topic, self._events
        for i in range(self.sent, self.sent + count):
            key, value = events[i % len(events)]
            produce(topic, value, key, timestamp=FIRST_TIMESTAMP + i)
        self.sent += count
        self._producer.poll(0)

    def flush(self) -> None:
        self._producer.flush(60)

    @contextmanager
    def paced(self, rate: float) -> Iterator[None]:
        """Sends so many events a second during the block."""
        stop = threading.Event()

        def run() -> None:
            began, sent = time.monotonic(), 0
            while not stop.wait(0.02):
                due = int((time.monotonic() - began) * rate)
                self.send(due - sent)
                sent = due

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


class Asker(asyncio.Protocol):
    """One connection, one question at a time."""

    def __init__(self, requests: list[bytes], interval_s: float, times: list[float], others: list[int]) -> None:
        self._requests = requests
        self._interval_s = interval_s
        self._times = times
        self._others = others
        self._buffer = b""
        self._at = 0
        self.stopped = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + random.random() * self._interval_s
        self._loop.call_at(self._due, self._ask)

    def _ask(self) -> None:
        if not self.stopped:
            self._asked = time.perf_counter()
            self._transport.write(self._requests[self._at % len(self._requests)])
            self._at += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._buffer.index(b"content-length: ") + 16
        length = int(self._buffer[start : self._buffer.index(b"\r\n", start)])
        if len(self._buffer) < head + 4 + length:
            return
        if self._buffer.startswith(b"HTTP/1.1 200"):
            self._times.append(time.perf_counter() - self._asked)
        else:
            self._others.append(int(self._buffer[9:12]))
        self._buffer = b""
        self._due = max(self._due + self._interval_s, self._loop.time() - self._interval_s)
        self._loop.call_at(self._due, self._ask)


async def ask(endpoint: str, keys: list[str], rate: float, seconds: float) -> tuple[list[float], list[int]]:
    """Latencies in s of answered gets, and the statuses of those that were not."""
    times: list[float] = []
    others: list[int] = []
    host, _, port = endpoint.rpartition(":")
    interval = CONNECTIONS / rate if rate else 0.0
    rng = random.Random(1)
    askers: list[Asker] = []
    for _ in range(CONNECTIONS):
        chosen = [rng.choice(keys) for _ in range(500)]
        requests = [f"GET /stores/counts/{key} HTTP/1.1\r\nhost: {endpoint}\r\n\r\n".encode() for key in chosen]
        made = asyncio.get_running_loop().create_connection(
            lambda requests=requests: Asker(requests, interval, times, others), host, int(port)
        )
        askers.append((await made)[1])
    await asyncio.sleep(seconds)
    for asker in askers:
        asker.stopped = True
    await asyncio.sleep(0.3)
    return times, others


def asker(endpoint: str, keys_file: str, rate: str, seconds: str) -> None:
    """The process that asks."""
    import uvloop

    keys = Path(keys_file).read_text().split()
    times, others = uvloop.run(ask(endpoint, keys, float(rate), float(seconds)))
    print(msgspec.json.encode([times, others]).decode())


def worker(servers: str, application: str, state: str) -> None:
    """The process that counts."""
    from streams import App

    app = App(application, bootstrap_servers=servers, state_dir=state)
    app.stream("events", key=str, value=dict).group_by_key().count(store="counts").to_stream().to("counts-out")
    running = app.worker()
    threading.Thread(target=tell_endpoint, args=(running,), daemon=True).start()
    running.run(signals=True)


def tell_endpoint(running: Any) -> None:
    while running.endpoint is None:
        time.sleep(0.01)
    print(running.endpoint, flush=True)


def run_self(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "bench.queries", *arguments], stdout=subprocess.PIPE, text=True)


def fetch(endpoint: str, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{endpoint}{path}", timeout=10) as answer:
        return answer.read()


def processed(endpoints: list[str]) -> int:
    """Records processed by all workers so far, by their metrics."""
    total = 0
    for endpoint in endpoints:
        for line in fetch(endpoint, "/metrics").decode().splitlines():
            if line.startswith("headrace_task_processed_total{"):
                total += int(float(line.rpartition(" ")[2]))
    return total


def owners(endpoint: str) -> dict[int, str | None]:
    stores = msgspec.json.decode(fetch(endpoint, "/stores"))
    return {int(number): owner for store in stores for number, owner in store["owners"].items()}


def settled(endpoints: list[str]) -> dict[int, str]:
    """Who has which partition, once each worker has some, and for two seconds the same."""
    before: dict[int, str | None] = {}
    while True:
        known = owners(endpoints[0])
        if known == before and set(known.values()) == set(endpoints):
            return {number: owner for number, owner in known.items() if owner is not None}
        before = known
        time.sleep(2)


def rate_over(endpoints: list[str], seconds: float) -> float:
    before, began = processed(endpoints), time.monotonic()
    time.sleep(seconds)
    return (processed(endpoints) - before) / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.queries", description=__doc__)
    parser.add_argument("--gets", type=float, default=0, help="gets a second; 0: as many as there can be")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--backlog", type=int, default=1_500_000)
    parser.add_argument("--rate", type=float, help="events a second; default: half of the rate with a backlog")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Broker() as broker:
        servers = broker.bootstrap_servers
        for topic in ("events", "counts-out"):
            create_topic(servers, topic)
        load = Load(servers, "events", options.users)
        workers = [run_self("worker", servers, "bench-queries", directory) for _ in range(2)]
        try:
            endpoints = [process.stdout.readline().strip() for process in workers if process.stdout is not None]
            held = settled(endpoints)
            users = [f"u{i}" for i in range(options.users)]
            keys = [user for user in users if held[partition_for_key(user.encode(), PARTITIONS)] == endpoints[1]]
            (Path(directory) / "keys").write_text("\n".join(keys))
            if options.rate is None:
                load.send(options.backlog)
                load.flush()
            else:
                load.send(50_000)
            while (before := processed(endpoints)) < load.sent * 0.05:
                time.sleep(0.05)
            began = time.monotonic()
            while processed(endpoints) < load.sent * 0.95:
                time.sleep(0.05)
            full = (processed(endpoints) - before) / (time.monotonic() - began)
            time.sleep(2)
            with load.paced(full):  # what is left of it when the events are produced meanwhile
                time.sleep(1)
                sustained = rate_over(endpoints, 4)
            rate = options.rate or sustained / 2
            time.sleep(3)
            processes = [psutil.Process(process.pid) for process in workers]
            with load.paced(rate):
                time.sleep(2)
                alone = rate_over(endpoints, options.seconds / 2)
                cpu = [sum(process.cpu_times()[:2]) for process in processes]
                asking = run_self("asker", endpoints[0], f"{directory}/keys", str(options.gets), str(options.seconds))
                time.sleep(1)
                beside = rate_over(endpoints, options.seconds - 1.5)
                found, _ = asking.communicate(timeout=60)
                used = [sum(p.cpu_times()[:2]) - before for p, before in zip(processes, cpu)]
        finally:
            for process in workers:
                process.terminate()
            for process in workers:
                process.wait(20)
    times, others = msgspec.json.decode(found)
    cuts = statistics.quantiles(times, n=100)
    print(
        f"application: {full:,.0f} events/s of a backlog, {sustained:,.0f} as they are produced; at {rate:,.0f} "
        f"{alone:,.0f} alone, {beside:,.0f} beside gets ({beside / alone:.0%})\n"
        f"gets through the worker that has none of the keys: {len(times) / options.seconds:,.0f}/s over {CONNECTIONS} "
        f"connections, p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, max {max(times) * 1000:.0f} ms; "
        f"{len(others)} answered otherwise\n"
        f"CPU of the workers: {used[0] / options.seconds:.0%} (asked), {used[1] / options.seconds:.0%} (owner); "
        f"{os.cpu_count()} cores"
    )


if __name__ == "__main__":
    parts = {"worker": worker, "asker": asker}
    if len(sys.argv) > 1 and sys.argv[1] in parts:
        parts[sys.argv[1]](*sys.argv[2:])
    else:
        main()
