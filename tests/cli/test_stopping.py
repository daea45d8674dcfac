"""Ctrl-C and SIGTERM as a request to stop."""

from __future__ import annotations

import os
import signal

import pytest

from streams.cli.stopping import stop_signals


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


def test_stop_signals_second_ctrl_c_interrupts() -> None:
    """Who presses Ctrl-C twice does not want to wait any longer."""
    with stop_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(30)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_stop_signals_restores_the_handlers_before() -> None:
    """Nothing of ours stays behind in a process that goes on."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_signals():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
