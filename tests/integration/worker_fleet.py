"""Worker processes of one application that come and go, on one log file and one state directory, or several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from streams.cli.worker_process import WorkerCommand, WorkerProcess

DEADLINE_S = 60.0


class RunningBroker(Protocol):
    """The bundled broker, or a cluster from elsewhere."""

    @property
    def bootstrap_servers(self) -> str: ...


class WorkerFleet:
    """Starts, stops and kills them; `close` ends those that are left."""

    def __init__(self, application: str, broker: RunningBroker, directory: Path) -> None:
        """`application`: as on the command line, `module:app`."""
        self.broker = broker
        self.state_dirs = [directory / "state"]
        self.log = directory / "worker.log"
        self.started = 0
        self.accepted_exits: set[int | None] = {None, 0, -9}
        self._application = application
        self._home = directory / "home"
        self._home.mkdir(parents=True)
        self._workers: list[WorkerProcess] = []

    @property
    def state_dir(self) -> Path:
        """The first one."""
        return self.state_dirs[0]

    def spread(self, disks: int) -> None:
        """Workers have so many state directories from now on, as if they were on as many hosts."""
        first = self.state_dirs[0]
        self.state_dirs = [first, *(first.with_name(f"{first.name}-{number}") for number in range(1, disks))]

    def _least_used(self) -> Path:
        """A worker that takes the place of a dead one thus has its state directory."""
        used = [worker.command.state_dir for worker in self._workers if worker.exit_code() is None]
        return min(self.state_dirs, key=used.count)

    def start(self) -> WorkerProcess:
        command = WorkerCommand(
            application=self._application,
            bootstrap_servers=self.broker.bootstrap_servers,
            state_dir=self._least_used(),
            home=self._home,
        )
        with self.log.open("ab") as log:
            worker = WorkerProcess(command, talk_to=log)
        self._workers.append(worker)
        self.started += 1
        return worker

    def stop(self, worker: WorkerProcess) -> None:
        """SIGTERM; the worker must commit, leave and end by itself with exit code 0."""
        worker.ask_to_stop()
        assert worker.end(DEADLINE_S), f"the worker did not stop:\n{self.log_text()}"
        assert worker.exit_code() == 0, self.log_text()

    def kill(self, worker: WorkerProcess) -> None:
        worker.end(0)

    def check(self) -> None:
        """Fails if a worker ended as none should."""
        for worker in self._workers:
            code = worker.exit_code()
            assert code in self.accepted_exits, f"a worker ended with {code}:\n{self.log_text()}"

    def errors(self, passing: Callable[[str], object]) -> list[str]:
        """The last words of workers that ended with an error, without those that `passing` says may be."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith(("Error:", "Traceback")) and not passing(line)]

    def log_text(self) -> str:
        return self.log.read_text()[-4000:] if self.log.exists() else ""

    def close(self) -> None:
        for worker in self._workers:
            worker.end(0)
