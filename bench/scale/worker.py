"""The worker that is measured, in a process of its own. Says on standard output what happens, one JSON list a line."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from streams import App
from streams.plan.task_id import TaskId
from streams.runtime.listener import Silent


class Teller(Silent):
    def on_tasks(self, running: frozenset[TaskId], restoring: frozenset[TaskId]) -> None:
        tell("tasks", len(running))

    def on_progress(self, counters: Mapping[str, int]) -> None:
        tell("processed", counters["processed"])


def tell(*what: Any) -> None:
    print(json.dumps(what), flush=True)


def declare(app: App, stores: int, *, repartitioned: bool) -> App:
    """Counts the records of each key, as often as there are to be stores; `repartitioned`: behind a topic."""
    events = app.stream("in", key=str, value=str)
    grouped = events.group_by(lambda key, value: value) if repartitioned else events.group_by_key()
    for number in range(stores):
        grouped.count(store=f"counts-{number}")
    return app


def main() -> None:
    servers, state, stores, kind = sys.argv[1:]
    app = declare(App("scale", bootstrap_servers=servers, state_dir=state), int(stores), repartitioned=kind == "two")
    worker = app.worker(query_port=None, listener=Teller())
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    if profile := os.environ.get("SCALE_PROFILE"):
        import cProfile

        with cProfile.Profile() as run:
            worker.run()
        run.dump_stats(profile)
    else:
        worker.run()


if __name__ == "__main__":
    main()
