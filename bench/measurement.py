"""One run of one program over topics that are full."""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ground import Ground
from bench.peers import Peer
from bench.processes import CpuMeter, machine_cpu_s, peak_resident_mb
from bench.progress import Commits, Outputs, Sample, steady
from bench.topics import create_topic, delete_topics, fill_all
from bench.truth import Failed, read_back
from bench.workload import Data, Workload

LOOK_S = 0.05
FIRST_LOOK_S = 0.01
"""How often the output is looked at, the second until something is there."""
STILL_S = 1.0
"""A run is over when there is as much output as there must be and it has not grown for so long: it counts markers of
transactions besides records, so its length alone does not tell."""
SILENT_S = 4.0
"""The same where nobody knows how long the output must be; longer than any commit interval."""
STUCK_S = 60.0
"""A run in which nothing has been done for so long has failed."""
LIMIT_S = 400.0


@dataclass(frozen=True, slots=True)
class Filled:
    """Data, the topics that were filled with it and how many records each got, and what is true of it."""

    data: Data
    topics: Mapping[str, int]
    truth: Any

    @classmethod
    def of(cls, workload: Workload[Any], records: int, bootstrap_servers: str) -> Filled:
        """Makes the topics, with names of their own."""
        data = workload.data(records, workload.users)
        run = f"bench-{uuid.uuid4().hex[:8]}"
        return cls(data, fill_all(bootstrap_servers, run, data.topics()), workload.truth(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was measured. Rate and CPU are of the steady part."""

    rate: float
    """Input records per second."""
    app_cpu_us: float
    """CPU µs of the program per input record."""
    broker_cpu_us: float
    """The same of the broker; 0 where its process is not ours."""
    other_cores: float
    """Cores that the rest of the machine used meanwhile."""
    memory_mb: float
    """The most resident memory, of all its processes together."""
    first_output_s: float
    """From the start of the process to the first record in the output."""
    steady_s: float
    records: int
    """Input records in all."""
    outputs: int
    """Output records in all."""
    counted: int
    """What the results add up to."""
    left_out: bool
    """Whether records were dropped as late."""


@contextmanager
def running(peer: Peer, commands: list[list[str]], log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = [peer.start(command, log) for command in commands]
    try:
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait(done: Callable[[], bool], program: subprocess.Popen[bytes], log: Path, limit_s: float) -> None:
    """Returns when it is done. Raises Failed, with what the program said, if that ended before or it takes too long."""
    began = time.monotonic()
    while not done():
        if program.poll() is not None or time.monotonic() - began > limit_s:
            said = log.read_text(errors="replace")[-2000:]
            raise Failed(f"the program ended ({program.poll()}) or takes too long: {said}")
        time.sleep(0.1)


def measure(ground: Ground, peer: Peer, workload: Workload[Any], filled: Filled) -> Run:
    """Runs the program until all is done, and checks what it made of it. Raises Failed; what it wrote is deleted."""
    run = f"{peer.name}-{workload.name}-{uuid.uuid4().hex[:8]}".replace("_", "-")
    sink = f"out-{run}"
    create_topic(ground.bootstrap_servers, sink)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            found = Measured(ground, peer, workload, filled, run, sink, Path(directory)).run()
    except Failed:
        delete_topics(ground.bootstrap_servers, run)
        raise
    delete_topics(ground.bootstrap_servers, run)
    return found


class Measured:
    """A run while it goes on."""

    def __init__(
        self, ground: Ground, peer: Peer, workload: Workload[Any], filled: Filled, run: str, sink: str, directory: Path
    ) -> None:
        self._ground, self._peer, self._workload, self._filled = ground, peer, workload, filled
        self._sink, self._log = sink, directory / "log"
        self._outputs = Outputs(ground.bootstrap_servers, sink)
        self._by_commits = workload.progress == "commits" and peer.commits
        self._commits = Commits(ground.bootstrap_servers, run)
        self._commands = [
            peer.command(
                workload, ground.bootstrap_servers, ",".join(filled.topics), sink, run, str(directory / str(i))
            )
            for i in range(peer.processes)
        ]
        for i in range(peer.processes):
            (directory / str(i)).mkdir()
        self._broker = CpuMeter([] if ground.pid is None else [ground.pid])
        self._app = CpuMeter([])

    def run(self) -> Run:
        began = time.monotonic()
        with running(self._peer, self._commands, self._log) as programs:
            pids = [program.pid for program in programs]
            self._app = CpuMeter(pids)
            first = self._first_output(programs, began)
            samples = self._samples(programs, began)
            memory = peak_resident_mb(pids)
        counted, outputs, complete = self._checked()
        part = steady(samples, by_commits=self._by_commits)
        records = part.share * self._filled.data.records
        begin, end = part.begin, part.end
        app_s, broker_s = end.app_s - begin.app_s, end.broker_s - begin.broker_s
        return Run(
            rate=records / part.seconds,
            app_cpu_us=app_s / records * 1e6,
            broker_cpu_us=broker_s / records * 1e6,
            other_cores=max(0.0, (end.machine_s - begin.machine_s - app_s - broker_s) / part.seconds),
            memory_mb=memory,
            first_output_s=first - began,
            steady_s=part.seconds,
            records=self._filled.data.records,
            outputs=outputs,
            counted=counted,
            left_out=not complete,
        )

    def _alive(self, programs: list[subprocess.Popen[bytes]], began: float) -> None:
        for program in programs:
            if program.poll() is not None:
                raise Failed(f"ended early with {program.returncode}: {self._said()}")
        if time.monotonic() - began > LIMIT_S:
            raise Failed(f"not done after {LIMIT_S:.0f} s, with {self._outputs.read():,} outputs: {self._said()}")

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def _first_output(self, programs: list[subprocess.Popen[bytes]], began: float) -> float:
        while not self._outputs.read():
            self._alive(programs, began)
            time.sleep(FIRST_LOOK_S)
        return time.monotonic()

    def _samples(self, programs: list[subprocess.Popen[bytes]], began: float) -> list[Sample]:
        """Until all is done: one at the start, and one whenever more was done."""
        expected = None if self._workload.name in self._peer.drops else self._filled.truth.records
        samples = [Sample(began, 0, 0.0, *self._others())]
        while True:
            self._alive(programs, began)
            sample = self._sample()
            if sample.done > samples[-1].done:
                samples.append(sample)
            still = sample.at - samples[-1].at
            if self._by_commits or expected is None:
                if still > SILENT_S and self._all_taken():
                    return samples
            elif samples[-1].done >= expected and still > STILL_S:
                return samples
            if still > STUCK_S:
                raise Failed(f"stuck at {samples[-1].done:,} for {STUCK_S:.0f} s: {self._said()}")
            time.sleep(LOOK_S)

    def _sample(self) -> Sample:
        done = sum(self._commits.by_topic().values()) if self._by_commits else self._outputs.read()
        return Sample(time.monotonic(), done, self._app.read(), *self._others())

    def _others(self) -> tuple[float, float]:
        return self._broker.read(), machine_cpu_s()[0] - sum(os.times()[:2])

    def _all_taken(self) -> bool:
        """Whether the longest input is committed, as far as one can know. Not all commit what they read as a table."""
        if not self._peer.commits:
            return True
        topic, records = max(self._filled.topics.items(), key=operator.itemgetter(1))
        return self._commits.by_topic().get(topic, 0) >= records

    def _checked(self) -> tuple[int, int, bool]:
        """What the results add up to, how many there are, and whether all was counted."""
        tally, truth = self._workload.tally(), self._filled.truth
        drops = self._workload.name in self._peer.drops
        read_back(self._ground.bootstrap_servers, self._sink, tally, 0 if drops else truth.records or 0)
        problem = tally.problem(truth)
        if problem and not drops:
            raise Failed(f"{problem} {self._said()}")
        return tally.counted(), tally.records, problem is None
