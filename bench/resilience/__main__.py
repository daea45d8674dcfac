"""`python -m bench.resilience latency join standby crash restore`: prints what each costs. See README.md in `bench`."""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bench.resilience.job import Job, quantile
from broker import Broker


def latency(job: Job, options: argparse.Namespace) -> None:
    """From a record's production until its result can be read by who reads committed records."""
    job.start("one")
    with job.observed_load(options.rate) as seen:
        time.sleep(5)
        begin = time.time()
        time.sleep(options.seconds)
    delays = [delay * 1000 for outputs in seen.values() for at, delay in outputs if at >= begin]
    stalls = [duration * 1000 for at, duration in job.told("one", "commit") if at >= begin]
    print(
        f"latency at {options.rate:,} rec/s: p50 {quantile(delays, 0.5):.0f} ms, p99 {quantile(delays, 0.99):.0f} ms; "
        f"a commit stops the worker for p50 {quantile(stalls, 0.5):.1f} ms, p99 {quantile(stalls, 0.99):.1f} ms"
    )


def join(job: Job, options: argparse.Namespace) -> None:
    """The longest silence of each partition of the output while a second worker joins."""
    job.start("one")
    with job.observed_load(options.rate) as seen:
        time.sleep(8)
        joined = time.time()
        job.start("two")
        time.sleep(options.seconds)
    moved = {partition for _, running in job.told("two", "tasks") for partition in running}
    stayed, end = set(seen) - moved, joined + options.seconds
    print(
        "a second worker joins; longest silence of an output partition: "
        f"{silence(seen, set(seen), joined - 4, joined)} before, {silence(seen, stayed, joined, end)} where the task "
        f"stayed, {silence(seen, moved, joined, end)} where it moved"
    )


def standby(job: Job, options: argparse.Namespace) -> None:
    """The longest silence of each partition of the output while workers with warm standbys join, leave and are killed.

    The group notices a killed worker when its session ends; what it takes from then on is told beside.
    """
    session_s = 45  # the default
    environment = {
        "HEADRACE_NUM_STANDBY_REPLICAS": "1",
        "HEADRACE_ACCEPTABLE_RECOVERY_LAG": "1000",
        "HEADRACE_MAX_WARMUP_REPLICAS": "8",
    }
    workers = {name: job.start(name, **environment) for name in ("one", "two")}
    with job.observed_load(options.rate) as seen:
        time.sleep(12)
        for change, name in (("joins", "three"), ("leaves", "two"), ("is killed", "three")):
            before = {each: job.running(each) for each in workers}
            began = time.time()
            if change == "joins":
                workers[name] = job.start(name, **environment)
            elif change == "leaves":
                workers.pop(name).terminate()
            else:
                workers.pop(name).kill()
            time.sleep(options.seconds + (session_s if change == "is killed" else 0))
            end = time.time()
            stayed = {p for each in workers for p in job.running(each) & before.get(each, set())}
            moved, noticed = set(seen) - stayed, began
            if change == "is killed":
                noticed = min(at for each in workers for at, _ in job.told(each, "tasks") if at > began)
            quiet = silence(seen, moved, began - 1, end)
            after = max(min(at for at, _ in seen[p] if at > noticed) - noticed for p in moved) if moved else 0.0
            print(
                f"a worker {change}; longest silence of an output partition: {silence(seen, stayed, began - 1, end)} "
                f"where the task stayed, {quiet} where it moved"
                + (f" ({after * 1000:.0f} ms from when the group noticed)" if noticed > began else ""),
                flush=True,
            )


def silence(seen: dict[int, list[tuple[float, float]]], partitions: set[int], begin: float, end: float) -> str:
    longest = 0.0
    for partition in partitions:
        times = [at for at, _ in seen[partition] if begin < at < end]
        longest = max(longest, *(after - before for before, after in pairwise(times)))
    return f"{longest * 1000:.0f} ms"


def crash(job: Job, options: argparse.Namespace) -> None:
    """SIGKILL with a large state; how long until the next worker on the same disk has committed a result."""
    fill(job, options.keys)
    output, seen = job.output(), 0
    worker = job.start("one")
    while seen < options.keys:
        seen += sum(message.error() is None for message in output.consume(10_000, 1.0))
    times: list[float] = []
    for kill in range(5):
        worker.kill()
        worker.wait()
        began = time.monotonic()
        worker = job.start("one")
        for i in range(40):
            job.produce(b"again", f"u{kill * 40 + i}")
        job.producer.flush()
        while all(message.error() is not None for message in output.consume(1, 0.05)):
            pass
        times.append(time.monotonic() - began)
        seen = 1
        while seen < 40:
            seen += sum(message.error() is None for message in output.consume(100, 0.05))
    size = sum(path.stat().st_size for path in (job.directory / "one").rglob("*") if path.is_file()) / 2**20
    print(f"kill -9 with {size:,.0f} MiB of state: first committed result after {min(times):.1f}–{max(times):.1f} s")


def restore(job: Job, options: argparse.Namespace) -> None:
    """The state directory is deleted; how fast the changelogs are read back."""
    fill(job, options.keys, size=8)
    output, seen = job.output(), 0
    job.start("one")
    while seen < options.keys:
        seen += sum(message.error() is None for message in output.consume(10_000, 1.0))
    job.stop()
    shutil.rmtree(job.directory / "one")
    (job.directory / "one.log").unlink()
    job.start("one")
    told: list[list[float]] = []
    while sum(done for *_, done in told) < job.partitions:
        time.sleep(0.1)
        told = [line for line in job.told("one", "restore") if line[1] == "kept"]
    seconds = max(line[0] for line in told) - min(line[0] for line in told)
    print(f"restore of {options.keys:,} keys: {seconds:.2f} s, {options.keys / seconds:,.0f} records/s")


def fill(job: Job, keys: int, size: int = 1_000) -> None:
    """One record for each key."""
    rng = random.Random(1)
    for i in range(keys):
        job.produce(rng.randbytes(size), f"u{i}")
        if i % 1_000 == 0:
            job.producer.poll(0)
    job.producer.flush()


MEASURES = {measure.__name__: measure for measure in (latency, join, standby, crash, restore)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.resilience", description=__doc__)
    parser.add_argument("measures", nargs="*", choices=[*MEASURES, []], help="default: all of them")
    parser.add_argument("--rate", type=int, default=4_000, help="records a second of latency and join")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long latency and join are observed")
    parser.add_argument("--keys", type=int, default=1_000_000, help="of crash (1 kB each) and restore")
    options = parser.parse_args()
    for name in options.measures or MEASURES:
        with tempfile.TemporaryDirectory() as directory, Broker() as broker:
            job = Job(broker.bootstrap_servers, Path(directory), 4 if name in ("crash", "restore") else 8)
            try:
                MEASURES[name](job, options)
            finally:
                job.stop()


if __name__ == "__main__":
    main()
