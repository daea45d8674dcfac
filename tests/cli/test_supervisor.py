"""Supervised processes: restart with back-off, giving up, draining."""

from __future__ import annotations

import pytest

from streams.cli.failures import APPLICATION_ENDED, CommandFailed
from streams.cli.supervisor import DRAIN_TIMEOUT_S, HEALTHY_AFTER_S, MAX_FAILURES, Supervisor


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeProcess:
    """Runs until the test sets `code`; `stubborn` ones do not stop when asked."""

    def __init__(self, pid: int, *, stubborn: bool = False) -> None:
        self.pid = pid
        self.code: int | None = None
        self.asked = False
        self.killed = False
        self.stubborn = stubborn

    def exit_code(self) -> int | None:
        return self.code

    def ask_to_stop(self) -> None:
        self.asked = True
        if not self.stubborn:
            self.code = 0

    def end(self, timeout_s: float) -> bool:
        self.killed = self.code is None
        return not self.killed


class Stage:
    """A supervisor with its clock, what it said, and every process it started."""

    def __init__(self, processes: int, *, stubborn: bool = False) -> None:
        self.clock = Clock()
        self.started: list[FakeProcess] = []
        self.said: list[str] = []
        self.stubborn = stubborn
        self.supervisor = Supervisor(processes, self.start, clock=self.clock, say=self.said.append)

    def start(self) -> FakeProcess:
        self.started.append(FakeProcess(4000 + len(self.started), stubborn=self.stubborn))
        return self.started[-1]

    def fail(self, code: int, *, after_s: float = 1.0) -> None:
        """The newest process ends on its own; the supervisor notices."""
        self.clock.now += after_s
        self.started[-1].code = code
        self.supervisor.step()


def test_supervisor_first_step_starts_every_slot() -> None:
    """As many processes as asked for."""
    stage = Stage(3)
    stage.supervisor.step()
    assert stage.supervisor.running == stage.started
    assert len(stage.started) == 3


def test_supervisor_failed_process_is_restarted_in_its_slot_after_growing_delays() -> None:
    """0.5 s, then 1 s, then 2 s: and not before."""
    stage = Stage(1)
    stage.supervisor.step()
    for delay in (0.5, 1.0, 2.0):
        count = len(stage.started)
        stage.fail(1)
        stage.clock.now += delay - 0.01
        stage.supervisor.step()
        assert len(stage.started) == count
        stage.clock.now += 0.02
        stage.supervisor.step()
        assert len(stage.started) == count + 1
        assert stage.supervisor.running == stage.started[-1:]
    assert stage.said[0] == "worker 0 ended with exit code 1; starting it again in 0.5 s"


def test_supervisor_long_healthy_process_starts_counting_anew() -> None:
    """A failure a day does not add up to giving up."""
    stage = Stage(1)
    stage.supervisor.step()
    for _ in range(MAX_FAILURES * 2):
        stage.fail(-9, after_s=HEALTHY_AFTER_S)
        assert stage.said[-1] == "worker 0 was killed by signal 9; starting it again in 0.5 s"
        stage.clock.now += 1
        stage.supervisor.step()


def test_supervisor_gives_up_after_failures_in_a_row() -> None:
    """The same poison record fails for ever; restarting does not cure it."""
    stage = Stage(1)
    stage.supervisor.step()
    for _ in range(MAX_FAILURES - 1):
        stage.fail(1)
        stage.clock.now += 30
        stage.supervisor.step()
    with pytest.raises(CommandFailed, match="5 times in a row"):
        stage.fail(1)


def test_supervisor_wrong_usage_is_not_retried() -> None:
    """Exit code 2 means the arguments are wrong, and they will not change."""
    stage = Stage(1)
    stage.supervisor.step()
    with pytest.raises(CommandFailed, match="does not accept its arguments"):
        stage.fail(2)


def test_supervisor_run_drains_all_when_told_to_stop() -> None:
    """Every process is asked before any is waited for."""
    stage = Stage(2)
    stage.supervisor.run(lambda _seconds: True)
    assert [process.asked for process in stage.started] == [True, True]
    assert not any(process.killed for process in stage.started)
    assert stage.supervisor.running == []


def test_supervisor_giving_up_drains_the_others() -> None:
    """No process is left behind by an error."""
    stage = Stage(2)

    def stop(_seconds: float) -> bool:
        stage.started[0].code = 2
        return False

    with pytest.raises(CommandFailed):
        stage.supervisor.run(stop)
    assert stage.started[1].asked


def test_supervisor_stubborn_process_is_killed_and_named() -> None:
    """A process that does not stop in time does not hold up the end."""
    stage = Stage(1, stubborn=True)
    stage.supervisor.run(lambda _seconds: True)
    assert stage.started[0].killed
    assert stage.said == [f"worker process 4000 did not stop within {DRAIN_TIMEOUT_S:.0f} s and was killed"]


def test_supervisor_renewed_starts_all_again_with_failures_forgotten() -> None:
    """The program has changed: what failed before says nothing of it."""
    stage = Stage(2)
    stage.supervisor.step()
    stage.fail(1)
    before = list(stage.started)
    stage.supervisor.renew()
    assert all(process.asked for process in before[:1])
    stage.supervisor.step()
    assert stage.supervisor.running == stage.started[2:]
    assert len(stage.started) == 4
    stage.fail(1)
    assert stage.said[-1] == "worker 1 ended with exit code 1; starting it again in 0.5 s"


def test_supervisor_whose_application_was_ended_starts_nothing_again() -> None:
    """`uncaught_exception_handler="shutdown_application"` is of all its processes."""
    stage = Stage(1)
    stage.supervisor.step()
    with pytest.raises(CommandFailed, match="has ended all of it"):
        stage.fail(APPLICATION_ENDED)
