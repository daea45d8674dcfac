"""Signals of a command: Ctrl-C and SIGTERM as something it can wait for, SIGUSR1 for a look at what it is doing."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from types import FrameType

from streams.cli.failures import INTERRUPTED
from streams.cli.terminal import talk

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether, and by which signal, this process was asked to stop.

    A pipe and not a `threading.Event`: the handler runs in the main thread, which may just hold the event's lock.
    """

    def __init__(self, on_stop: Callable[[], None] | None = None, at_once: str = "stopping at once") -> None:
        self.signal: int | None = None
        self._at_once = at_once
        self._on_stop = on_stop
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    @property
    def requested(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C; 0 after SIGTERM, which asks for an orderly end and got one."""
        return INTERRUPTED if self.signal == signal.SIGINT else 0

    def wait(self, timeout_s: float) -> bool:
        """Sleeps until a stop is requested, at most `timeout_s`; returns whether it is."""
        if not self.requested:
            select.select([self._reader], [], [], timeout_s)
        return self.requested

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler. The second Ctrl-C no longer waits for anybody: it says so, and KeyboardInterrupt."""
        if self.requested and number == signal.SIGINT:
            talk(self._at_once)
            raise KeyboardInterrupt
        self.signal = number
        os.write(self._writer, b"!")
        if self._on_stop is not None:
            self._on_stop()

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


@contextmanager
def stop_signals(
    on_stop: Callable[[], None] | None = None, *, at_once: str = "stopping at once"
) -> Generator[StopRequest]:
    """Catches SIGINT and SIGTERM while the block runs; `on_stop` is called from the handler, in the main thread.
    `at_once` is what a second Ctrl-C says.

    SIGUSR1 writes the stacks of all threads to stderr, also where Python itself hangs.
    """
    request = StopRequest(on_stop, at_once)
    previous = {number: signal.signal(number, request.handle) for number in STOP_SIGNALS}
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        yield request
    finally:
        faulthandler.unregister(signal.SIGUSR1)
        for number, handler in previous.items():
            signal.signal(number, handler)
        request.close()


@contextmanager
def on_signal(number: signal.Signals, call: Callable[[], None]) -> Generator[None]:
    """While the block runs, the signal is a call in the main thread."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        call()

    previous = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, previous)


@contextmanager
def passed_on(number: signal.Signals, to: Callable[[], Iterable[int]]) -> Generator[None]:
    """While the block runs, this process hands the signal to others, by their pids, instead of heeding it itself."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        for pid in to():
            os.kill(pid, number)

    faulthandler.unregister(number)
    previous = signal.signal(number, pass_on)
    try:
        yield
    finally:
        signal.signal(number, previous)
