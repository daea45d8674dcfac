"""What is done to a running job: workers killed, paused, stopped and added, the broker killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable

from broker import Broker
from streams.cli.worker_process import WorkerProcess
from tests.integration.flights_job import FlightsJob

FEWEST, MOST = 2, 4
"""Worker processes."""
STOP_S = 60.0


class Chaos:
    """Does one fault after the other, drawn from a seed. `counts` says how many of each kind."""

    def __init__(
        self,
        job: FlightsJob,
        draw: random.Random,
        *,
        broker: Broker | None,
        pause_s: tuple[float, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`broker`: the one to kill, None if it is to be left alone. `pause_s`: how long a worker may be stopped, as
        a range: from a hiccup to well past its session and transaction timeouts."""
        self._job = job
        self._draw = draw
        self._broker = broker
        self._pause_s = pause_s
        self._clock = clock
        self._workers = [job.start_worker() for _ in range(FEWEST)]
        self._paused: dict[int, tuple[WorkerProcess, float]] = {}
        self.counts: Counter[str] = Counter()

    def next(self) -> str:
        """Does the next fault; returns its name."""
        self._wake_up()
        kinds = {"kill": 50, "kill twice": 10, "pause": 12, "stop": 8, "join": 8, "leave": 6, "kill all": 3, "wipe": 2}
        if self._broker is not None:
            kinds["kill broker"] = 10
        if len(self._workers) >= MOST:
            del kinds["join"]
        if len(self._workers) <= FEWEST:
            del kinds["leave"]
        if len(self._paused) >= len(self._workers) - 1:
            del kinds["pause"]
        kind = self._draw.choices(list(kinds), list(kinds.values()))[0]
        getattr(self, "_" + kind.replace(" ", "_"))()
        self.counts[kind] += 1
        return kind

    def calm(self) -> None:
        """Lets go of paused workers."""
        self._wake_up(all_of_them=True)

    def end(self) -> None:
        """Stops all workers in order; each must commit and leave."""
        self.calm()
        for worker in self._workers:
            self._stop_in_order(worker)

    # -- faults ------------------------------------------------------------------------------------------------------
    def _pick(self) -> WorkerProcess:
        awake = [worker for worker in self._workers if worker.pid not in self._paused]
        return self._draw.choice(awake)

    def _kill(self) -> None:
        """A worker dies, and its replacement comes at once or some time later."""
        worker = self._draw.choice(self._workers)
        self._paused.pop(worker.pid, None)
        self._job.kill_worker(worker)
        if self._draw.random() < 0.3:
            time.sleep(self._draw.uniform(0, 1.5))
        self._workers[self._workers.index(worker)] = self._job.start_worker()

    def _kill_twice(self) -> None:
        """The replacement dies too, while it starts or restores."""
        self._kill()
        time.sleep(self._draw.uniform(0.1, 1.0))
        self._kill()

    def _kill_all(self) -> None:
        for worker in self._workers:
            self._job.kill_worker(worker)
        self._paused.clear()
        self._workers = [self._job.start_worker() for _ in self._workers]

    def _wipe(self) -> None:
        """All workers die, and the disk with them."""
        for worker in self._workers:
            self._job.kill_worker(worker)
        self._paused.clear()
        shutil.rmtree(self._job.state_dir, ignore_errors=True)
        self._workers = [self._job.start_worker() for _ in self._workers]

    def _pause(self) -> None:
        """SIGSTOP: a zombie, if it lasts longer than the session."""
        worker = self._pick()
        os.kill(worker.pid, signal.SIGSTOP)
        self._paused[worker.pid] = (worker, self._clock() + self._draw.uniform(*self._pause_s))

    def _stop(self) -> None:
        """A rolling restart of one."""
        worker = self._pick()
        self._stop_in_order(worker)
        self._workers[self._workers.index(worker)] = self._job.start_worker()

    def _join(self) -> None:
        self._workers.append(self._job.start_worker())

    def _leave(self) -> None:
        worker = self._pick()
        self._stop_in_order(worker)
        self._workers.remove(worker)

    def _stop_in_order(self, worker: WorkerProcess) -> None:
        """SIGTERM. One that has hardly begun may not have its signal handler yet, and simply dies."""
        worker.ask_to_stop()
        assert worker.end(STOP_S), f"a worker did not stop:\n{self._job.log_text()}"
        assert worker.exit_code() in (0, -signal.SIGTERM), self._job.log_text()

    def _kill_broker(self) -> None:
        assert self._broker is not None
        self._broker.kill()
        if self._draw.random() < 0.3:
            time.sleep(self._draw.uniform(0, 2.0))
        self._broker.restart()

    def _wake_up(self, *, all_of_them: bool = False) -> None:
        for pid, (worker, until) in list(self._paused.items()):
            if all_of_them or self._clock() >= until:
                del self._paused[pid]
                os.kill(worker.pid, signal.SIGCONT)
