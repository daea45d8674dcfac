"""Several worker processes side by side: started, restarted when they fail, drained together.

    started ──exits──▶ waiting (back-off) ──▶ started …
       │                   │
       └── stop ──▶ draining ──▶ ended        too many failures in a row ──▶ CommandFailed

A process that ends on its own is started again after 0.5, 1, 2, … at most 30 s. One that has run for a minute counts as
healthy: its next failure begins at 0.5 s again. After `MAX_FAILURES` failures in a row all are stopped, because
the same record, or the same setting, will fail for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.cli.failures import APPLICATION_ENDED, CommandFailed
from streams.cli.terminal import talk

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_AFTER_S = 60.0
MAX_FAILURES = 5
DRAIN_TIMEOUT_S = 30.0
POLL_S = 0.1
AT_ONCE = (
    "stopping at once, workers that still commit have a few seconds: what is not committed is processed again when "
    "they go on"
)
"""What a second Ctrl-C means: the processes see their stdin close."""


class Process(Protocol):
    """What is supervised: `WorkerProcess`, or a test's stand-in."""

    @property
    def pid(self) -> int: ...
    def exit_code(self) -> int | None: ...
    def ask_to_stop(self) -> None: ...
    def end(self, timeout_s: float) -> bool: ...


@dataclass(slots=True)
class Slot:
    """One place for a process: who is in it, since when, and how often in a row it failed."""

    number: int
    process: Process | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float = 0.0


class Supervisor:
    """Owns the processes. `step()` never blocks; `run()` steps until told to stop."""

    def __init__(
        self,
        processes: int,
        start: Callable[[], Process],
        *,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = talk,
    ) -> None:
        """`start` starts one process."""
        self._slots = [Slot(number) for number in range(processes)]
        self._start = start
        self._clock = clock
        self._say = say

    @property
    def running(self) -> Sequence[Process]:
        return [slot.process for slot in self._slots if slot.process is not None]

    def step(self) -> None:
        """Starts what is due and takes note of what has ended.

        Raises:
            CommandFailed: a process cannot be used at all, or has failed too often.
        """
        now = self._clock()
        for slot in self._slots:
            if slot.process is None:
                if now >= slot.restart_at:
                    slot.process = self._start()
                    slot.started_at = now
                continue
            code = slot.process.exit_code()
            if code is not None:
                slot.process.end(0)
                slot.process = None
                self._plan_restart(slot, code, now)

    def _plan_restart(self, slot: Slot, code: int, now: float) -> None:
        if code == APPLICATION_ENDED:
            raise CommandFailed("one of the application's workers has ended all of it; see above")
        if code == 2:
            raise CommandFailed("a worker does not accept its arguments; see above")
        if now - slot.started_at >= HEALTHY_AFTER_S:
            slot.failures = 0
        slot.failures += 1
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if slot.failures >= MAX_FAILURES:
            raise CommandFailed(f"worker {slot.number} {ended}, {slot.failures} times in a row; see above")
        delay = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (slot.failures - 1))
        slot.restart_at = now + delay
        self._say(f"worker {slot.number} {ended}; starting it again in {delay:g} s")

    def run(self, wait_for_stop: Callable[[float], bool]) -> None:
        """Keeps the processes running until `wait_for_stop(seconds)` says so, then drains them."""
        try:
            self.step()
            while not wait_for_stop(POLL_S):
                self.step()
        finally:
            self.drain()

    def renew(self) -> None:
        """Drains all; the next step starts them again, with what failed before forgotten."""
        self.drain()
        self._slots = [Slot(slot.number) for slot in self._slots]

    def drain(self) -> None:
        """Asks all to stop, and waits; whoever takes longer than `DRAIN_TIMEOUT_S` is killed."""
        processes = self.running
        for process in processes:
            process.ask_to_stop()
        deadline = self._clock() + DRAIN_TIMEOUT_S
        for process in processes:
            if not process.end(deadline - self._clock()):
                self._say(f"worker process {process.pid} did not stop within {DRAIN_TIMEOUT_S:.0f} s and was killed")
        for slot in self._slots:
            slot.process = None
