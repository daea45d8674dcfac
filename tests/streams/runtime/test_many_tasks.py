"""What a worker with many tasks leaves out for those that have nothing to do."""

from __future__ import annotations

from streams import App
from streams.plan.task_id import TaskId
from tests.streams.runtime.bench import Bench, until


def test_worker_commits_those_tasks_only_that_did_something(bench: Bench) -> None:
    bench.topics(**{"in": 3})
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts")
    tasks = [TaskId(0, partition) for partition in range(3)]
    worker = bench.run(app, *tasks)
    sent = 0

    def committed_alone() -> bool:
        """After another record, whose commit may be the first one of the other tasks too."""
        nonlocal sent
        sent += 1
        bench.produce("in", ("k", b"{}", sent), partition=1)
        until(lambda: sum(tasks[1] in each for each in worker.heard.committed) >= sent, "its commit")
        return frozenset([tasks[1]]) in worker.heard.committed

    until(committed_alone, "a commit of one task")
    worker.stop()
