"""One run of one program over topics that are full."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from confluent_kafka import Consumer, TopicPartition

from bench.peers import Peer
from bench.topics import PARTITIONS, create_topic, fill
from bench.truth import Truth, check
from bench.workloads import Data, Workload

WARM = 0.2
"""The share of the output after which a run is measured: interpreters, compilers and caches have started by then."""
STILL_S = 1.0
"""The output is over when it is as long as it must be and has not grown for so long. It counts markers of transactions
besides records, so its length alone does not tell."""
LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Filled:
    """Data, and the topics that were filled with it."""

    data: Data
    topics: tuple[str, ...]

    @classmethod
    def of(cls, data: Data, bootstrap_servers: str) -> Filled:
        """Makes the topics, with names of their own."""
        run = f"bench-{uuid.uuid4().hex[:8]}"
        rows = {f"{run}-{name}": rows for name, rows in data.topics().items()}
        for topic, held in rows.items():
            fill(bootstrap_servers, topic, held)
        return cls(data, tuple(rows))


@dataclass(frozen=True, slots=True)
class Run:
    """Input records per second and CPU µs of the process per record, without the start; seconds to the first output."""

    rate: float
    cpu_us: float
    first_output: float


@contextmanager
def running(peer: Peer, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **peer.environment})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(bootstrap_servers: str, peer: Peer, workload: Workload[Any], filled: Filled, truth: Truth) -> Run:
    """Runs the program until all output is there and checks that. Raises SystemExit where it ends early, takes too
    long, or says something else."""
    run = f"{peer.name}-{workload.name}-{uuid.uuid4().hex[:8]}".replace("_", "-")
    sink = f"out-{run}"
    create_topic(bootstrap_servers, sink)
    probe = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": run + "-probe"})
    started = time.monotonic()

    def written() -> int:
        return sum(probe.get_watermark_offsets(TopicPartition(sink, p), timeout=10)[1] for p in range(PARTITIONS))

    def cpu() -> float:
        return sum(meter.cpu_times()[:2])

    with tempfile.TemporaryDirectory() as state:
        command = peer.command(workload, bootstrap_servers, ",".join(filled.topics), sink, run, state)
        with running(peer, command) as program:
            meter = psutil.Process(program.pid)
            first = begun = None
            last = (started, 0, 0.0)
            while True:
                if program.poll() is not None:
                    raise SystemExit(f"{peer.name} {workload.name} ended early with {program.returncode}")
                count, now = written(), time.monotonic()
                if count and first is None:
                    first = now
                if begun is None and count >= truth.records * WARM:
                    begun = (now, count, cpu())
                if count > last[1]:
                    last = (now, count, cpu())
                if count >= truth.records and now - last[0] > STILL_S:
                    break
                if now - started > LIMIT_S:
                    raise SystemExit(f"{peer.name} {workload.name}: {count} of {truth.records} records in {LIMIT_S} s")
                time.sleep(0.02)
    probe.close()
    assert first is not None
    assert begun is not None
    check(bootstrap_servers, sink, truth, workload.tally())
    records = (last[1] - begun[1]) / last[1] * filled.data.records
    return Run(records / (last[0] - begun[0]), (last[2] - begun[2]) / records * 1e6, first - started)
