"""What is measured, one function each: it runs against one broker and returns figures by name.

A figure's name ends in its unit. `scale` makes a run shorter; rates and percentiles stay comparable.
"""

from __future__ import annotations

import multiprocessing
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import MappingProxyType

from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.apache_kafka import ApacheKafka
from bench.broker.client import SILENT, config, percentile, producer, topic
from bench.broker.contenders import Contender
from bench.processes import cpu_s, resident_mb

Figures = dict[str, float]
IDLE_S = 5.0


@dataclass(slots=True)
class Meter:
    """Wall clock and the broker's CPU over a block."""

    seconds: float = field(default=0.0)
    cpu: float = field(default=0.0)

    def figures(self, name: str, count: int, size: int | None = None) -> Figures:
        """The rate, in MB/s where records have a size and per second otherwise, and CPU µs each."""
        rate = count / self.seconds
        what = {f"{name} /s": rate} if size is None else {f"{name} MB/s": rate * size / 1e6}
        return {**what, f"{name} CPU µs": self.cpu / count * 1e6}


@contextmanager
def metered(contender: Contender) -> Iterator[Meter]:
    meter = Meter()
    cpu, start = cpu_s([contender.pid]), time.perf_counter()
    yield meter
    meter.seconds = time.perf_counter() - start
    meter.cpu = cpu_s([contender.pid]) - cpu


def start(contender: Contender, scale: float) -> Figures:
    """From the start of the process to an answer with metadata, and to a produced record; memory when idle."""
    contender.stop()
    began = time.perf_counter()
    contender.spawn()
    first = producer(
        contender.bootstrap_servers,
        reconnect_backoff_ms=20,
        reconnect_backoff_max_ms=50,
        linger_ms=0,
        retry_backoff_ms=50,
        topic_metadata_refresh_fast_interval_ms=50,
    )
    while True:
        try:
            first.list_topics(timeout=0.3)
            break
        except KafkaException:
            continue
    answered = time.perf_counter() - began
    first.produce(f"first-{uuid.uuid4().hex[:8]}", b"x")
    first.flush()
    produced = time.perf_counter() - began
    time.sleep(IDLE_S * scale)
    return {
        "start to metadata s": answered,
        "start to produced s": produced,
        "idle memory MB": resident_mb([contender.pid]),
    }


def produce_consume(contender: Contender, scale: float) -> Figures:
    """confluent-kafka with its own batching: records of 100 B and 1 KB over 1 and 4 partitions, and back."""
    figures: Figures = {}
    for size, full in ((100, 1_500_000), (1000, 400_000)):
        count = int(full * scale)
        value = bytes(size)
        for partitions in (1, 4):
            name = f"{size} B, {partitions} partitions"
            with topic(contender.bootstrap_servers, partitions) as target:
                client = producer(
                    contender.bootstrap_servers,
                    queue_buffering_max_messages=500_000,
                    queue_buffering_max_kbytes=1 << 20,
                )
                with metered(contender) as meter:
                    for _ in range(count):
                        while True:
                            try:
                                client.produce(target, value)
                                break
                            except BufferError:
                                client.poll(0.01)
                    client.flush()
                figures |= meter.figures(f"produce {name}", count, size)
                settings = config(
                    contender.bootstrap_servers,
                    group_id=uuid.uuid4().hex,
                    enable_auto_commit=False,
                    fetch_queue_backoff_ms=10,
                )
                reader = Consumer(settings, logger=SILENT)
                reader.assign([TopicPartition(target, each, 0) for each in range(partitions)])
                with metered(contender) as meter:
                    left = count
                    while left > 0:
                        left -= len(reader.consume(10_000, 1.0))
                reader.close()
                figures |= meter.figures(f"consume {name}", count, size)
    return figures


def java_tools(contender: Contender, scale: float) -> Figures:
    """Kafka's own performance tools."""
    figures: Figures = {}
    java = ApacheKafka()
    for size, full in ((100, 3_000_000), (1000, 500_000)):
        count = int(full * scale)
        for partitions in (1, 4):
            name = f"{size} B, {partitions} partitions"
            servers = contender.bootstrap_servers
            with topic(servers, partitions) as target:
                words = ["--topic", target, "--num-records", str(count), "--record-size", str(size)]
                words += ["--throughput", "-1", "--producer-props", f"bootstrap.servers={servers}"]
                with metered(contender) as meter:
                    said = java.run("org.apache.kafka.tools.ProducerPerformance", *words)
                rate = float(re.findall(r"\(([\d.]+) MB/sec\)", said)[-1]) * 1.048576
                figures[f"Java produce {name} MB/s"] = rate
                figures[f"Java produce {name} CPU µs"] = meter.cpu / count * 1e6
                words = ["--bootstrap-server", servers, "--topic", target, "--num-records", str(count)]
                with metered(contender) as meter:
                    said = java.run("org.apache.kafka.tools.ConsumerPerformance", *words, "--timeout", "30000")
                row = [each.strip() for each in said.strip().splitlines()[-1].split(",")]
                figures[f"Java consume {name} MB/s"] = float(row[8]) * 1.048576  # without the wait for the group
                figures[f"Java consume {name} CPU µs"] = meter.cpu / count * 1e6
    return figures


def single_records(contender: Contender, scale: float) -> Figures:
    """One record per request, five requests in flight."""
    count = int(60_000 * scale)
    with topic(contender.bootstrap_servers, 1) as target:
        client = producer(
            contender.bootstrap_servers,
            linger_ms=0,
            batch_num_messages=1,
            max_in_flight=5,
            queue_buffering_max_messages=1_000_000,
        )
        client.produce(target, bytes(100))
        client.flush()
        with metered(contender) as meter:
            for number in range(count):
                client.produce(target, bytes(100))
                if number % 100 == 0:
                    client.poll(0)
            client.flush()
    return meter.figures("single-record requests", count)


def latency(contender: Contender, scale: float) -> Figures:
    """From produce to consume at 1,000 records a second; the first tenth does not count."""
    count = int(10_000 * scale)
    with topic(contender.bootstrap_servers, 1) as target:
        spawn = multiprocessing.get_context("spawn")
        found, told = spawn.Pipe(duplex=False)
        reader = spawn.Process(target=read_times, args=(contender.bootstrap_servers, target, count, told))
        reader.start()
        found.recv()
        client = producer(contender.bootstrap_servers, linger_ms=0)
        began = time.monotonic()
        for number in range(count):
            ahead = began + number / 1000 - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            client.produce(target, str(time.monotonic_ns()).encode())
            client.poll(0)
        client.flush()
        times: list[float] = found.recv()[count // 10 :]
        reader.join()
    return {"latency p50 ms": percentile(times, 0.5), "latency p99 ms": percentile(times, 0.99)}


def read_times(servers: str, target: str, count: int, told: Connection) -> None:
    """In a process of its own: ms from produce to consume of each record."""
    reader = Consumer(config(servers, group_id=uuid.uuid4().hex), logger=SILENT)
    reader.assign([TopicPartition(target, 0, 0)])
    reader.poll(0.5)
    told.send("ready")
    times: list[float] = []
    while len(times) < count:
        message = reader.poll(1.0)
        if message is not None and message.error() is None:
            times.append((time.monotonic_ns() - int(message.value() or b"0")) / 1e6)
    reader.close()
    told.send(times)


def transactions(contender: Contender, scale: float) -> Figures:
    """The commit of ten records over four partitions."""
    count = int(400 * scale)
    with topic(contender.bootstrap_servers, 4) as target:
        client = producer(contender.bootstrap_servers, transactional_id=uuid.uuid4().hex, linger_ms=0)
        client.init_transactions()
        times: list[float] = []
        with metered(contender) as meter:
            for _ in range(count):
                client.begin_transaction()
                for number in range(10):
                    client.produce(target, bytes(100), partition=number % 4)
                began = time.perf_counter()
                client.commit_transaction()
                times.append((time.perf_counter() - began) * 1000)
        times = times[count // 10 :]
    return {
        "commit p50 ms": percentile(times, 0.5),
        "commit p99 ms": percentile(times, 0.99),
        "commit CPU µs": meter.cpu / count * 1e6,
    }


def second_member(contender: Contender, scale: float) -> Figures:
    """Seconds from the second member's subscription until each has its half, at the clients' own settings."""
    from bench.broker.rebalance import PROTOCOLS, seconds_to_share

    return {
        f"second member, {name} s": seconds_to_share(contender.bootstrap_servers, settings)
        for name, settings in PROTOCOLS.items()
    }


def loaded_memory(contender: Contender, scale: float) -> Figures:
    """Resident memory after the measures before it."""
    return {"memory after load MB": resident_mb([contender.pid])}


Measure = Callable[[Contender, float], Figures]
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "start": start,
        "produce-consume": produce_consume,
        "java": java_tools,
        "single": single_records,
        "latency": latency,
        "transactions": transactions,
        "second-member": second_member,
        "memory": loaded_memory,
    }
)
"""By name, in the order in which they run."""
