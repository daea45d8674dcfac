"""What a worker process tells the person at the terminal, and where it says that it can be asked."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from streams.cli.home import Home
from streams.cli.terminal import talk
from streams.cli.web_port import url
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress, Silent
from streams.runtime.phase import WorkerState

WITHOUT_TASKS = "running, without tasks: other workers have them, or the group has yet to give them out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """That a worker serves one; `port`: on a port of its own."""

    port: int | None


class TalkingListener(Silent):
    """Announces the query endpoint in a home for as long as it is there; tells about tasks and restoring on stderr."""

    def __init__(
        self, home: Home, application_id: str, dashboard: Dashboard | None = None, *, tls: bool = False
    ) -> None:
        self._home = home
        self._dashboard = dashboard
        self._tls = tls
        self._application_id = application_id
        self._announcement = ExitStack()
        self._state = WorkerState.CREATED
        self._running: frozenset[TaskId] = frozenset()
        self._told: frozenset[TaskId] | None = None
        """The tasks last named to the person."""
        self._standbys: frozenset[TaskId] = frozenset()
        self._told_standbys: frozenset[TaskId] = frozenset()

    def on_endpoint(self, endpoint: str | None) -> None:
        self._announcement.close()
        if endpoint is not None:
            self._announcement.enter_context(self._home.announce_worker(self._application_id, endpoint))
            talk(f"queries at {'https' if self._tls else 'http'}://{endpoint}")
            if self._dashboard is not None:
                host, _, port = endpoint.rpartition(":")
                talk(f"dashboard at {url(host.strip('[]'), self._dashboard.port or int(port), tls=self._tls)}")

    def on_state(self, before: WorkerState, after: WorkerState) -> None:
        self._state = after
        self._tell_tasks()

    def on_tasks(self, running: frozenset[TaskId], restoring: frozenset[TaskId]) -> None:
        self._running = running
        if not restoring:
            self._tell_tasks()

    def on_standbys(self, tasks: frozenset[TaskId]) -> None:
        self._standbys = tasks
        self._tell_tasks()

    def _tell_tasks(self) -> None:
        if self._state is not WorkerState.RUNNING:
            return
        if self._running != self._told:
            self._told = self._running
            names = named(self._running)
            talk(f"running {names}" if names else WITHOUT_TASKS)
        if self._standbys != self._told_standbys:
            self._told_standbys = self._standbys
            talk(f"standing by for {named(self._standbys) or 'no task any more'}")

    def on_restore(self, progress: RestoreProgress) -> None:
        if progress.done:
            if progress.records:
                talk(f"task {progress.task}: {progress.store} restored, {progress.records:,} records")
            return
        eta = "" if progress.eta_s is None else f", {progress.eta_s:.0f} s to go"
        talk(f"task {progress.task}: restoring {progress.store}, {progress.remaining:,} records to read{eta}")

    def close(self) -> None:
        """Takes the announcement back, if the worker has not."""
        self._announcement.close()


def named(tasks: frozenset[TaskId]) -> str:
    return ", ".join(str(task) for task in sorted(tasks))
