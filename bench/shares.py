"""Where the time of a record goes: CPU µs of each step of its way, by samples of a program at work.

The samples are py-spy's (its command on PATH, or named by PY_SPY), of the thread that processes, while it does not
wait. What librdkafka's own threads use is beside them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from bench.ground import Ground, grounds
from bench.machine import about
from bench.measurement import SILENT_S, Filled, running, wait
from bench.peers import HERE, PEERS, Peer
from bench.processes import cpu_s, thread_cpu_s
from bench.progress import Commits, Outputs
from bench.results import RESULTS, Results
from bench.steps import STEPS, Sources, counted
from bench.topics import create_topic, delete_topics
from bench.workload import Workload
from bench.workloads import WORKLOADS
from streams import App

FIRST_FOUR = ("filter_map", "window_count", "stream_table_join", "flights")
SAMPLES_PER_S = 250
LIMIT_S = 200.0


def sources_of(peer: Peer, workload: Workload[Any], topics: str) -> Sources:
    """The floor program's text, or the code that headrace generates for these topics."""
    module = importlib.import_module(f"bench.{peer.package}.{workload.program}")
    if peer.package == "floor":
        return {f"bench/floor/{workload.program}.py": Path(str(module.__file__)).read_text().splitlines()}
    app = App("shares")
    module.declare(app, topics, "out")
    programs = [sub.program for sub in app.plan().subtopologies]
    return {program.filename.rpartition("/")[2]: program.source.splitlines() for program in programs}


def spy() -> str:
    found = os.environ.get("PY_SPY") or shutil.which("py-spy")
    if found is None:
        raise SystemExit("py-spy is not here: install it (pip install py-spy), or name its command in PY_SPY")
    return found


@contextmanager
def sampled(pid: int, into: Path) -> Iterator[None]:
    """Samples of the process until it ends. py-spy stops it for each, some 0.1 ms."""
    command = [spy(), "record", "-p", str(pid), "-f", "raw", "-o", str(into), "-r", str(SAMPLES_PER_S), "-d", "600"]
    sampler = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        sampler.send_signal(signal.SIGINT)
        sampler.wait(30)


def once(ground: Ground, peer: Peer, workload: Workload[Any], filled: Filled) -> dict[str, float]:
    """µs per record of the processing thread by step, and of the process' other threads. Raises Failed.

    The program runs twice: being sampled costs it CPU time, so that the sampled run only says how the other one's
    time is divided.
    """
    thread_us, process_us = worked(ground, peer, workload, filled, lambda _: nullcontext())
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        samples = Path(directory) / "samples"
        worked(ground, peer, workload, filled, lambda pid: sampled(pid, samples))
        steps = counted(samples.read_text(), sources_of(peer, workload, ",".join(filled.topics)))
    whole = sum(steps.values())
    return {step: thread_us * steps[step] / whole for step in STEPS} | {"other threads": process_us - thread_us}


def worked(
    ground: Ground,
    peer: Peer,
    workload: Workload[Any],
    filled: Filled,
    watch: Callable[[int], AbstractContextManager[None]],
) -> tuple[float, float]:
    """CPU µs per record of the program's first thread and of the whole process, while it is watched from its first
    output to its last. Raises Failed."""
    run = f"{peer.name}-shares-{uuid.uuid4().hex[:8]}"
    servers, sink = ground.bootstrap_servers, f"out-{run}"
    create_topic(servers, sink)
    outputs, commits = Outputs(servers, sink), Commits(servers, run)

    def committed() -> int:
        return sum(commits.by_topic().values())

    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        state, log = Path(directory) / "state", Path(directory) / "log"
        state.mkdir()
        command = peer.command(workload, servers, ",".join(filled.topics), sink, run, str(state))
        with running(peer, [command], log) as [program]:
            wait(lambda: outputs.read() > 0, program, log, LIMIT_S)
            before = thread_cpu_s(program.pid), cpu_s([program.pid])
            with watch(program.pid):
                if workload.progress == "outputs":
                    wait(lambda: outputs.read() >= filled.truth.records, program, log, LIMIT_S)
                else:
                    wait(lambda: committed() >= sum(filled.topics.values()), program, log, LIMIT_S)
                    wait(still(committed), program, log, LIMIT_S)
            after = thread_cpu_s(program.pid), cpu_s([program.pid])
    delete_topics(servers, run)
    thread_us, process_us = ((b - a) / filled.data.records * 1e6 for a, b in zip(before, after, strict=True))
    return thread_us, process_us


def still(read: Callable[[], int]) -> Callable[[], bool]:
    """Whether what is read has not changed for some seconds: what came through repartition topics is done, too."""
    last, since = read(), time.monotonic()

    def unchanged() -> bool:
        nonlocal last, since
        now = read()
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > SILENT_S

    return unchanged


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="only this one")
    parser.add_argument("--events", type=int, default=2_000_000)


def run(options: argparse.Namespace) -> int:
    spy()
    path = options.json or RESULTS / f"shares-{int(time.time())}.json"
    peers = [PEERS[name] for name in options.peer or ("headrace", "floor")]
    with grounds(options.broker) as found:
        results = Results(about([ground.name for ground in found[:1]]))
        for name in options.workload or FIRST_FOUR:
            workload = WORKLOADS[name]
            filled = Filled.of(workload, options.events, found[0].bootstrap_servers)
            for number in range(options.rounds):
                for peer in (each for each in peers if (HERE / each.package / f"{workload.program}.py").exists()):
                    steps = once(found[0], peer, workload, filled)
                    entry = {"workload": name, "peer": peer.name, "broker": found[0].name, "round": number}
                    results.add("shares", entry | {"steps": steps})
                    told = "  ".join(f"{step} {took:.2f}" for step, took in steps.items())
                    print(f"  {name:18} {peer.name:9} {sum(steps.values()):.2f} µs/record: {told}", flush=True)
                    results.write(path)
            for topic in filled.topics:
                delete_topics(found[0].bootstrap_servers, topic)
    return 0
