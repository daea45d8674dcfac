"""Apache Kafka Streams on the bundled broker: the Java programs of bench/, at least once and exactly once.

    python -m tests.foreign.kafka_streams                    all workloads, both guarantees
    python -m tests.foreign.kafka_streams window_count       some of them
    python -m tests.foreign.kafka_streams --kafka            on Apache Kafka as well, and the outputs compared

What comes out is compared with what the inputs make (bench/truth.py). Exactly once, the program is also killed in its
midst and started again. Needs Java 17 and what `make bench-java apache-kafka` builds and fetches.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bench.peers import EVERY_UPDATE, EXACTLY_ONCE, JAVA_TARGET, JAVA_WORKLOADS, PEERS, Peer
from bench.topics import PARTITIONS, create_topic, fill_all
from bench.truth import check
from bench.workload import Workload
from bench.workloads import WORKLOADS
from tests.foreign.apache_kafka import apache_kafka
from tests.foreign.bundled import bundled_broker

WHOLE = tuple(name for name in JAVA_WORKLOADS if name not in PEERS["kafka-streams"].drops)
"""The workloads in which Kafka Streams drops nothing as late."""
GUARANTEES = {
    "at_least_once": (EVERY_UPDATE, "commit.interval.ms=1000"),
    "exactly_once": (EXACTLY_ONCE, EVERY_UPDATE),
}
SESSION = ("session.timeout.ms=3000", "heartbeat.interval.ms=500")
"""A killed program's tasks are handed to the next one when its session has ended."""
WAIT_S = 300.0


@contextmanager
def program(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A running program; ended at the end of the block, if it has not ended before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def written(servers: str, topic: str) -> int:
    """How many offsets of a topic are taken; -1 while a partition has no leader, as on Apache Kafka when it is new."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "look", "isolation.level": "read_uncommitted"})
    try:
        return sum(consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in range(PARTITIONS))
    except KafkaException as error:
        if not error.args[0].retriable() and error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
            raise
        return -1
    finally:
        consumer.close()


def await_written(servers: str, topic: str, offsets: int) -> None:
    """Waits until so many are taken; not for ever, so that what is missing is told by the check that follows."""
    deadline = time.monotonic() + WAIT_S
    while written(servers, topic) < offsets and time.monotonic() < deadline:
        time.sleep(0.05)


def digest(servers: str, topic: str) -> str:
    """Of the newest committed value of each key, which does not depend on how tasks took turns."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "digest", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    newest: dict[bytes, bytes | None] = {}
    ended = 0
    while ended < PARTITIONS:
        for message in consumer.consume(10_000, 1.0):
            if message.error():
                ended += 1
            else:
                newest[message.key()] = message.value()
    consumer.close()
    return hashlib.sha256(repr(sorted(newest.items())).encode()).hexdigest()[:16]


def run(servers: str, workload: Workload[Any], guarantee: str, records: int) -> str:
    """Runs one program until its output is right; the digest of its output. Raises SystemExit where it is wrong."""
    data = workload.data(records, 500)
    truth, tally = workload.truth(data), workload.tally()
    name = f"{workload.name}-{guarantee}"
    sources = fill_all(servers, name, data.topics())
    sink = f"{name}-out"
    create_topic(servers, sink)
    peer = Peer("kafka-streams", "kafka_streams", settings=(*GUARANTEES[guarantee], *SESSION))
    with tempfile.TemporaryDirectory() as state:
        command = peer.command(workload, servers, ",".join(sources), sink, sink, state)
        if guarantee == "exactly_once":
            with program(command) as killed:
                await_written(servers, sink, truth.records // 3)
                killed.kill()
        with program(command):
            await_written(servers, sink, truth.records)
            check(servers, sink, truth, tally)
    return digest(servers, sink)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.foreign.kafka_streams", description="Kafka Streams on the broker.")
    parser.add_argument("workloads", nargs="*", default=WHOLE, help="of bench/workloads.py")
    parser.add_argument("--records", type=int, default=20_000, help="of each workload (default: %(default)s)")
    parser.add_argument("--guarantee", choices=tuple(GUARANTEES), help="only this one")
    parser.add_argument("--kafka", action="store_true", help="compare with Apache Kafka")
    chosen = parser.parse_args(arguments)
    if not (JAVA_TARGET / "lib").is_dir():
        raise SystemExit("the programs are not built: make bench-java")
    runs = [(WORKLOADS[name], guarantee) for name in chosen.workloads for guarantee in GUARANTEES]
    runs = [(workload, guarantee) for workload, guarantee in runs if chosen.guarantee in (None, guarantee)]
    outputs: list[dict[str, str]] = []
    for make in (bundled_broker, apache_kafka) if chosen.kafka else (bundled_broker,):
        with make() as broker:
            found: dict[str, str] = {}
            for workload, guarantee in runs:
                started = time.monotonic()
                output = run(broker.bootstrap_servers, workload, guarantee, chosen.records)
                found[f"{workload.name} {guarantee}"] = output
                who = type(broker).__name__
                print(f"{who}: {workload.name} {guarantee} {output} in {time.monotonic() - started:.1f} s", flush=True)
            outputs.append(found)
    wrong = [name for name in outputs[0] if len({found[name] for found in outputs}) > 1]
    for name in wrong:
        print(f"{name}: the output is not that on Apache Kafka")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
