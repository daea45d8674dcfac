"""What processes use: CPU time and memory, with their children's."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil


def family(pids: Sequence[int]) -> Iterator[psutil.Process]:
    """The processes that are there, and their children; who is gone is left out."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            yield process
            yield from process.children(recursive=True)


def cpu_s(pids: Sequence[int]) -> float:
    """User and system seconds that they have used so far."""
    return sum(map(used_s, family(pids)))


class CpuMeter:
    """CPU seconds of processes and their children, asked for often. Who their children are takes a look at all
    processes of the machine, so that is looked up once a second."""

    REFRESH_S = 1.0

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._family: list[psutil.Process] = []
        self._refreshed = float("-inf")

    def read(self) -> float:
        now = time.monotonic()
        if now - self._refreshed > self.REFRESH_S:
            self._family, self._refreshed = list(family(self._pids)), now
        return sum(map(used_s, self._family))


def thread_cpu_s(pid: int) -> float:
    """User and system seconds of the process' first thread, which runs a Python program's main."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_s(process: psutil.Process) -> float:
    """Nothing of one that is gone."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def resident_mb(pids: Sequence[int]) -> float:
    """Resident memory now, in MB. Pages that they share are counted in each."""
    total = 0.0
    for process in family(pids):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss / 1e6
    return total


def peak_resident_mb(pids: Sequence[int]) -> float:
    """The most resident memory that each had so far (Linux' VmHWM), added up, in MB."""
    total = 0.0
    for process in family(pids):
        with suppress(OSError):
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1]) * 1024 / 1e6
    return total


def machine_cpu_s() -> tuple[float, float]:
    """Seconds of CPU time that the whole machine has used, and that the hypervisor took from it."""
    times = psutil.cpu_times()
    busy = times.user + times.nice + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
    return busy, getattr(times, "steal", 0.0)
