"""What happens to the workers of a replay. Each function loads all of history, and leaves workers behind that go on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable

from tests.integration.replay.replay import Replay

Happening = Callable[[Replay], None]


def one_worker(replay: Replay) -> None:
    """Everything is there when it starts."""
    replay.load(0, 1)
    replay.load_end()
    replay.start()


def two_workers(replay: Replay) -> None:
    """Both have tasks before anything is there; then one partition after the other comes."""
    replay.start("one", wait=False)
    both = replay.start("two")
    replay.wait_for_tasks(both)
    replay.load(0, 1, apart=True)
    replay.load_end()


def workers_join_and_leave(replay: Replay) -> None:
    """Tasks move to a second host, then all to it, then some to a third."""
    first = replay.start("one")
    replay.load(0, 0.3)
    replay.wait_for_part(0.3)
    replay.start("two")
    replay.load(0.3, 0.6, apart=True)
    replay.wait_for_part(0.7)
    replay.stop(first)
    replay.load(0.6, 1, apart=True)
    replay.start("three")
    replay.load_end()


def restarted_worker(replay: Replay) -> None:
    """It goes on where it stopped; the second time its disk is empty."""
    worker = replay.start()
    replay.load(0, 0.4)
    replay.wait_for_part(0.5)
    replay.stop(worker)
    worker = replay.start()
    replay.load(0.4, 0.7, apart=True)
    replay.wait_for_part(0.7)
    replay.stop(worker)
    shutil.rmtree(replay.state_dir("one"))
    replay.load(0.7, 1)
    replay.load_end()
    replay.start()


def killed_worker(replay: Replay) -> None:
    """One of two is killed in the middle of its work, and replaced; then the other."""
    first = replay.start("one")
    second = replay.start("two")
    replay.load(0, 0.4, apart=True)
    replay.wait_for_part(0.3)
    replay.kill(first)
    replay.start("one", wait=False)
    replay.load(0.4, 0.7)
    replay.wait_for_part(0.7)
    replay.kill(second)
    replay.load(0.7, 1, apart=True)
    replay.load_end()
    replay.start("two")


def paused_worker(replay: Replay) -> None:
    """One of two stands still, while the other reads what it has to its end: their tasks are months apart."""
    replay.start("one")
    second = replay.start("two")
    replay.load(0, 0.3)
    replay.wait_for_part(0.3)
    os.kill(second.pid, signal.SIGSTOP)
    try:
        replay.load(0.3, 1)
        replay.wait_for_part(0.5)
    finally:
        os.kill(second.pid, signal.SIGCONT)
    replay.load_end()


def workers_of_all_kinds(replay: Replay) -> None:
    """A second worker joins, the first is killed and comes back, and takes all tasks when the second leaves."""
    first = replay.start("one")
    replay.load(0, 0.4, apart=True)
    second = replay.start("two")
    replay.wait_for_part(0.5)
    replay.kill(first)
    replay.load(0.4, 0.7, apart=True)
    replay.start("one")
    replay.wait_for_part(0.5)
    replay.stop(second)
    replay.load(0.7, 1)
    replay.load_end()


HAPPENINGS: dict[str, Happening] = {
    happening.__name__: happening
    for happening in (
        one_worker,
        two_workers,
        workers_join_and_leave,
        restarted_worker,
        killed_worker,
        paused_worker,
        workers_of_all_kinds,
    )
}
