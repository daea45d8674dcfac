"""W9: a running count under a steady load; from when a record is due to when its committed result is read.

Each result names its input: the nth count of a user is that of the user's nth record. Those of the first seconds do not
count.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import uuid
from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition

from bench.broker.client import percentile
from bench.ground import Ground, grounds
from bench.machine import about
from bench.measurement import running
from bench.peers import Peer
from bench.results import RESULTS, Results
from bench.rounds import present
from bench.topics import PARTITIONS, create_topic, delete_topics
from bench.truth import Failed
from bench.workloads import WORKLOADS

RATES = (1_000, 20_000)
PEERS = ("headrace", "headrace-exactly-once", "kafka-streams", "kafka-streams-exactly-once")
USERS = 1_000
WARM_S, MEASURED_S, LIMIT_S = 10.0, 6.0, 30.0


class Count(msgspec.Struct):
    count: int


def once(ground: Ground, peer: Peer, rate: int, warm_s: float, measured_s: float) -> list[float]:
    """Latencies in ms of the records that were due in the measured time. Raises Failed where one has no result."""
    servers, run = ground.bootstrap_servers, f"{peer.name}-latency-{uuid.uuid4().hex[:8]}"
    source, sink = f"events-{run}", f"out-{run}"
    create_topic(servers, source)
    create_topic(servers, sink)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        log, state = Path(directory) / "log", Path(directory) / "state"
        state.mkdir()
        command = peer.command(WORKLOADS["running_count"], servers, source, sink, run, str(state))
        with running(peer, [command], log):
            begin = time.time() + 1
            words = [servers, source, str(rate), str(warm_s + measured_s), str(USERS), repr(begin)]
            with subprocess.Popen([sys.executable, "-m", "bench.load", *words]) as load:
                seen = observed(servers, sink, int(rate * (warm_s + measured_s)))
                load.wait()
    delete_topics(servers, run)
    first = int(rate * warm_s)
    if missing := sum(at == 0 for at in seen[first:]):
        raise Failed(f"{missing:,} of {len(seen) - first:,} records have no result")
    return [(at - begin - i / rate) * 1000 for i, at in enumerate(seen[first:], first)]


def observed(bootstrap_servers: str, sink: str, records: int) -> array[float]:
    """When each record's result was seen, in seconds since the epoch; 0 where it was not."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap_servers, "group.id": "look", "isolation.level": "read_committed"}
    )
    consumer.assign([TopicPartition(sink, p, 0) for p in range(PARTITIONS)])
    decode, seen, number = msgspec.json.Decoder(Count).decode, array("d", bytes(8 * records)), 0
    last = time.monotonic()
    while number < records and time.monotonic() - last < LIMIT_S:
        message = consumer.poll(0.1)
        for m in () if message is None else (message, *consumer.consume(1_000, 0)):
            if error := m.error():
                if error.code() != KafkaError._PARTITION_EOF:
                    raise Failed(f"{sink}: {error}")
                continue
            record = (decode(m.value()).count - 1) * USERS + int(m.key()[1:])
            if not seen[record]:
                seen[record] = time.time()
                number += 1
        if message is not None:
            last = time.monotonic()
    consumer.close()
    return seen


def measure(
    ground: Ground,
    peers: Sequence[Peer],
    results: Results,
    path: Path,
    rounds: int,
    rates: Sequence[int] = RATES,
    warm_s: float = WARM_S,
    measured_s: float = MEASURED_S,
) -> None:
    able = [peer for peer in peers if peer.name in PEERS]
    for rate in rates:
        for number in range(rounds):
            for peer in able if number % 2 == 0 else reversed(able):
                entry = {"peer": peer.name, "broker": ground.name, "round": number, "rate": rate}
                try:
                    delays = sorted(once(ground, peer, rate, warm_s, measured_s))
                except Failed as failure:
                    results.add("latency", entry | {"error": str(failure)})
                    print(f"  latency {peer.name:26} {rate:>7,}/s  FAILED: {failure}", flush=True)
                else:
                    p50, p99 = percentile(delays, 0.5), percentile(delays, 0.99)
                    results.add("latency", entry | {"p50_ms": p50, "p99_ms": p99})
                    print(f"  latency {peer.name:26} {rate:>7,}/s  p50 {p50:7.1f} ms  p99 {p99:7.1f} ms", flush=True)
                results.write(path)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=int, action="append", help=f"records a second (default: {RATES})")
    parser.add_argument("--warm", type=float, default=WARM_S, help="seconds that do not count")
    parser.add_argument("--seconds", type=float, default=MEASURED_S, help="seconds that count")


def run(options: argparse.Namespace) -> int:
    path = options.json or RESULTS / f"latency-{int(time.time())}.json"
    with grounds(options.broker) as found:
        results = Results(about([ground.name for ground in found[:1]]))
        peers, rates = present(options.peer or PEERS), options.rate or RATES
        once(found[0], peers[0], rates[0], options.warm, 1.0)  # a broker that has just begun is seconds behind
        measure(found[0], peers, results, path, options.rounds, rates, options.warm, options.seconds)
    return 1 if results.failed else 0
