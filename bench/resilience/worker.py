"""One worker of the measured job, in a process of its own; says on standard output what happens, one JSON list a line:
`[seconds since the epoch, what, …]`."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

from streams import App
from streams.plan.task_id import TaskId
from streams.runtime.listener import RestoreProgress, Silent
from streams.runtime.phase import WorkerState


class Teller(Silent):
    def on_state(self, before: WorkerState, after: WorkerState) -> None:
        tell("state", after.value)

    def on_tasks(self, running: frozenset[TaskId], restoring: frozenset[TaskId]) -> None:
        tell("tasks", sorted(task.partition for task in running))

    def on_restore(self, progress: RestoreProgress) -> None:
        tell("restore", progress.store, progress.records, progress.done)

    def on_commit(self, tasks: frozenset[TaskId], duration_s: float) -> None:
        tell("commit", duration_s)


def tell(*what: Any) -> None:
    print(json.dumps([time.time(), *what]), flush=True)


def main(bootstrap_servers: str, group: str, state: str) -> None:
    """Counts the records of each key of topic `in`, keeps the newest one's value beside, and writes counts to `out`."""
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    counts = app.stream("in", key=str, value=bytes).group_by_key().aggregate(initial, newest, value=bytes, store="kept")
    counts.map_values(lambda value: int.from_bytes(value[:8], "big"), value=int).to_stream().to("out")
    worker = app.worker(query_port=None, listener=Teller())
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


def initial() -> bytes:
    return bytes(8)


def newest(key: str, value: bytes, aggregate: bytes) -> bytes:
    return (int.from_bytes(aggregate[:8], "big") + 1).to_bytes(8, "big") + value


if __name__ == "__main__":
    main(*sys.argv[1:4])
