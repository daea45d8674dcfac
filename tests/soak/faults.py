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
from tests.integration.worker_fleet import WorkerFleet

FEWEST, MOST = 2, 4
"""Worker processes."""
STOP_S = 60.0


class Chaos:
    """Does one fault after the other, drawn from a seed. `counts` says how many of each kind."""

    def __init__(
        self,
        fleet: WorkerFleet,
        draw: random.Random,
        *,
        broker: Broker | None,
        pause_s: tuple[float, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`broker`: the one to kill, None if it is to be left alone. `pause_s`: how long a worker may be stopped, as
        a range: from a hiccup to well past its session and transaction timeouts."""
        self._fleet = fleet
        self._draw = draw
        self._broker = broker
        self._pause_s = pause_s
        self._clock = clock
        self._workers = [fleet.start() for _ in range(FEWEST)]
        fleet.accepted_exits |= {1, -signal.SIGTERM}
        self._paused: dict[int, tuple[WorkerProcess, float]] = {}
        self.counts: Counter[str] = Counter()

    def next(self, kind: str | None = None) -> str:
        """Does the next fault, of this kind or of one that is drawn; returns its name."""
        self._wake_up()
        self._replace_failed()
        kind = kind or self._drawn()
        getattr(self, "_" + kind.replace(" ", "_"))()
        self.counts[kind] += 1
        return kind

    def _drawn(self) -> str:
        """One that can be done now; what is commonest in life is drawn most often."""
        kinds = {"kill": 50, "kill twice": 10, "pause": 12, "stop": 8, "join": 8, "leave": 6, "kill all": 3, "wipe": 2}
        if self._broker is not None:
            kinds["kill broker"] = 10
        if len(self._workers) >= MOST:
            del kinds["join"]
        if len(self._workers) <= FEWEST:
            del kinds["leave"]
        if len(self._paused) >= len(self._workers) - 1:
            del kinds["pause"]
        return self._draw.choices(list(kinds), list(kinds.values()))[0]

    def calm(self) -> None:
        """Lets go of paused workers, and sees to it that all run."""
        self._wake_up(all_of_them=True)
        self._replace_failed()

    def end(self) -> None:
        """Stops all workers in order; each must commit and leave."""
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
        self._fleet.kill(worker)
        if self._draw.random() < 0.3:
            time.sleep(self._draw.uniform(0, 1.5))
        self._workers[self._workers.index(worker)] = self._fleet.start()

    def _kill_twice(self) -> None:
        """The replacement dies too, while it starts or restores."""
        self._kill()
        time.sleep(self._draw.uniform(0.1, 1.0))
        self._kill()

    def _kill_all(self) -> None:
        for worker in self._workers:
            self._fleet.kill(worker)
        self._paused.clear()
        self._workers = [self._fleet.start() for _ in self._workers]

    def _wipe(self) -> None:
        """All workers die, and the disks with them."""
        for worker in self._workers:
            self._fleet.kill(worker)
        self._paused.clear()
        for disk in self._fleet.state_dirs:
            shutil.rmtree(disk, ignore_errors=True)
        self._workers = [self._fleet.start() for _ in self._workers]

    def _pause(self) -> None:
        """SIGSTOP: a zombie, if it lasts longer than the session."""
        worker = self._pick()
        os.kill(worker.pid, signal.SIGSTOP)
        self._paused[worker.pid] = (worker, self._clock() + self._draw.uniform(*self._pause_s))

    def _stop(self) -> None:
        """A rolling restart of one."""
        worker = self._pick()
        self._stop_in_order(worker)
        self._workers[self._workers.index(worker)] = self._fleet.start()

    def _join(self) -> None:
        self._workers.append(self._fleet.start())

    def _leave(self) -> None:
        worker = self._pick()
        self._stop_in_order(worker)
        self._workers.remove(worker)

    def _stop_in_order(self, worker: WorkerProcess) -> None:
        """SIGTERM. One that has hardly begun may not have its signal handler yet, and simply dies."""
        worker.ask_to_stop()
        until = self._clock() + STOP_S
        while worker.exit_code() is None and self._clock() < until:
            time.sleep(0.02)
        if worker.exit_code() is None:
            os.kill(worker.pid, signal.SIGUSR1)  # its stacks go to the log
            time.sleep(1)
            raise AssertionError(f"a worker did not stop:\n{self._fleet.log_text()}")
        worker.end(0)
        assert worker.exit_code() in self._fleet.accepted_exits, self._fleet.log_text()

    def _kill_broker(self) -> None:
        assert self._broker is not None
        self._broker.kill()
        if self._draw.random() < 0.3:
            time.sleep(self._draw.uniform(0, 2.0))
        self._broker.restart()

    def _replace_failed(self) -> None:
        """What a supervisor does: a worker that ended because no broker was there is started again."""
        for index, worker in enumerate(self._workers):
            if worker.exit_code() is not None:
                self._workers[index] = self._fleet.start()
                self.counts["ended by itself"] += 1

    def _wake_up(self, *, all_of_them: bool = False) -> None:
        for pid, (worker, until) in list(self._paused.items()):
            if all_of_them or self._clock() >= until:
                del self._paused[pid]
                os.kill(worker.pid, signal.SIGCONT)
