"""Runs the workloads side by side and prints rates and ratios. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition

from bench.events import PARTITIONS, Loaded, create_topic, load
from broker import Broker

WORKLOADS = ("filter_map", "window_count")
BY_HAND = ("hopping_count", "running_count")
"""Not run unless asked for: programs of Quix and of headrace, without a floor."""
HOPS = 2
"""How many windows each event is in, in `hopping_count`."""
ENVIRONMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "floor": ("floor", {}),
    "headrace": ("headrace", {}),
    "headrace-1s": ("headrace", {"HEADRACE_COMMIT_INTERVAL": "1"}),
    "headrace-alo": ("headrace", {"HEADRACE_PROCESSING_GUARANTEE": "at_least_once"}),
    "quix": ("quix", {}),
}
"""Who takes part: the package of the program, and what is set for it. headrace itself runs with its defaults, exactly
once and a commit every 100 ms; the others are the same with one a second, and with at least once."""
CHECK_S = 20.0
QUIX_PYTHON = "QUIX_PYTHON"
"""Names the interpreter of an environment with quixstreams, which pins other versions of the client; see README.md."""


class Run:
    """One measured run of one program. The rate is taken from 5 % of the expected output to all of it."""

    def __init__(self, records: int, seconds: float, cpu_seconds: float, first_output: float) -> None:
        self.rate = records / seconds
        self.cpu_us = cpu_seconds / records * 1e6
        self.first_output = first_output


@contextmanager
def running(peer: str, workload: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    python = os.environ[QUIX_PYTHON] if peer == "quix" else sys.executable
    package, settings = ENVIRONMENTS[peer]
    process = subprocess.Popen(
        [python, "-m", f"bench.{package}.{workload}", *arguments], env={**os.environ, **settings}
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(servers: str, peer: str, workload: str, loaded: Loaded) -> Run:
    run = f"{peer}-{workload}-{uuid.uuid4().hex[:8]}".replace("_", "-")
    sink = f"out-{run}"
    create_topic(servers, sink)
    expected = outputs(workload, loaded)
    probe = Consumer({"bootstrap.servers": servers, "group.id": run + "-probe"})
    started = time.monotonic()

    def written() -> int:
        return sum(probe.get_watermark_offsets(TopicPartition(sink, p), timeout=10)[1] for p in range(PARTITIONS))

    with (
        tempfile.TemporaryDirectory() as state,
        running(peer, workload, servers, loaded.topic, sink, run, state) as program,
    ):
        meter = psutil.Process(program.pid)
        first = begun = None
        while True:
            if program.poll() is not None:
                raise SystemExit(f"{peer} {workload} ended early with {program.returncode}")
            count, now = written(), time.monotonic()
            if count and first is None:
                first = now - started
            if begun is None and count >= expected * 0.05:
                begun = (now, count, sum(meter.cpu_times()[:2]))
            if count >= expected:
                break
            if now - started > 300:
                raise SystemExit(f"{peer} {workload}: only {count} of {expected} records after 300 s")
            time.sleep(0.02)
        cpu = sum(meter.cpu_times()[:2])
    assert begun is not None
    assert first is not None
    check(servers, workload, sink, loaded)
    share = (expected - begun[1]) / expected * loaded.events
    return Run(round(share), now - begun[0], cpu - begun[2], first)


def outputs(workload: str, loaded: Loaded) -> int:
    """How many records the workload writes."""
    return {"filter_map": loaded.kept, "hopping_count": HOPS * loaded.events}.get(workload, loaded.events)


def check(servers: str, workload: str, sink: str, loaded: Loaded) -> None:
    """Reads the output back, committed records only. Raises SystemExit where it is not what the events make."""
    expected = outputs(workload, loaded)
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "check"})
    consumer.assign([TopicPartition(sink, p, 0) for p in range(PARTITIONS)])
    total, deadline = 0, time.monotonic() + CHECK_S
    newest: dict[bytes, int] = {}
    while True:
        messages = consumer.consume(10_000, 0.5)
        if not messages and (total >= expected or time.monotonic() > deadline):
            break
        for m in messages:
            if m.error():
                raise SystemExit(f"{sink}: {m.error()}")
            total += 1
            if workload != "filter_map":
                value = json.loads(m.value())
                window = str(value.get("start", "")).encode()  # Quix has the window in the value, not in the key
                newest[m.key() + window] = value["count"]
    consumer.close()
    if total != expected:
        raise SystemExit(f"{sink}: {total} records instead of {expected}")
    if workload != "filter_map" and sum(newest.values()) != expected:
        raise SystemExit(f"{sink}: updates that count {sum(newest.values())}, instead of {expected}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workload", choices=WORKLOADS + BY_HAND, action="append")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    results: list[dict[str, object]] = []
    with Broker() as broker:
        servers = broker.bootstrap_servers
        print(f"loading {options.events:,} events …", flush=True)
        loaded = load(servers, "events", options.events, options.users)
        all_peers = [peer for peer in ENVIRONMENTS if peer != "quix" or QUIX_PYTHON in os.environ]
        for workload in options.workload or WORKLOADS:
            peers = [peer for peer in all_peers if workload not in BY_HAND or peer in ("headrace", "quix")]
            runs: dict[str, list[Run]] = {peer: [] for peer in peers}
            for number in range(options.rounds):
                for peer in peers if number % 2 == 0 else reversed(peers):
                    run = measure(servers, peer, workload, loaded)
                    runs[peer].append(run)
                    print(
                        f"  {workload:13} {peer:12} {run.rate:>10,.0f} rec/s  {run.cpu_us:5.2f} µs CPU/rec", flush=True
                    )
            for other in (peer for peer in peers if peer != "headrace"):
                ratios = [h.rate / o.rate for h, o in zip(runs["headrace"], runs[other], strict=True)]
                print(
                    f"{workload}: headrace at {statistics.median(ratios):.2f}× of {other} "
                    f"(rounds: {', '.join(f'{r:.2f}' for r in ratios)}); "
                    f"median {statistics.median(r.rate for r in runs['headrace']):,.0f} rec/s",
                    flush=True,
                )
            results += [
                {"workload": workload, "peer": p, "rate": r.rate, "cpu_us": r.cpu_us, "first_output_s": r.first_output}
                for p, rs in runs.items()
                for r in rs
            ]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["operators"]:
        from bench import operators

        operators.main(sys.argv[2:])
    else:
        main()
