"""Ctrl-C and SIGTERM as a request to stop."""

from __future__ import annotations

import os
import signal

import pytest

from streams.cli.stopping import stop_signals
from streams.cli.supervisor import AT_ONCE as SUPERVISED_AT_ONCE
from streams.runtime.stop_signals import AT_ONCE, stopped_by_signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_stop_signals_wakes_the_waiter_and_calls_back(number: signal.Signals, code: int) -> None:
    """A signal ends the wait at once, calls `on_stop`, and decides the exit code."""
    calls: list[int] = []
    with stop_signals(lambda: calls.append(1)) as stop:
        assert not stop.wait(0)
        os.kill(os.getpid(), number)
        assert stop.wait(30)
        assert stop.exit_code == code
    assert calls == [1]


def test_stop_signals_second_ctrl_c_interrupts_and_says_what_that_means(capfd: pytest.CaptureFixture[str]) -> None:
    """Who presses Ctrl-C twice does not want to wait any longer."""
    with stop_signals(at_once="it is enough") as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(30)
        assert capfd.readouterr().err == ""
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert capfd.readouterr().err == "it is enough\n"


def test_worker_in_a_program_of_its_own_ends_at_the_second_ctrl_c_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`app.run()` has no command around it: what it does not commit any more is in the log."""
    stops: list[int] = []
    with stopped_by_signals(lambda: stops.append(1)):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stops == [1, 1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert "what is not committed is processed again" in caplog.text


@pytest.mark.parametrize("said", [AT_ONCE, SUPERVISED_AT_ONCE])
def test_what_stopping_at_once_means_is_one_line(said: str) -> None:
    assert said.startswith("stopping at once")
    assert "what is not committed is processed again" in said
    assert "\n" not in said


def test_stop_signals_restores_the_handlers_before() -> None:
    """Nothing of ours stays behind in a process that goes on."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_signals():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
