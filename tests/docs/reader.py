"""Someone who works through a tutorial in a directory: saves its files, types its commands, and compares."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from tests.docs.markdown import ROOT
from tests.docs.story import Saved, Step, Typed, matches, place_of

DEADLINE_S = 120.0
LONG_RUNNING = ("headrace dev", "headrace worker", "headrace broker", "python many.py")
READING = (
    "headrace consume",
    "headrace query",
    "headrace groups describe",
    "headrace dead-letters list",
    "curl ",
    "ls ",
)
"""Asked again until the answer is there: what was typed before takes effect within moments."""
DAY, PORT = "2026-05-01", "8080"
"""Of the pages: yesterday, and the port that a worker is told to take."""


class Running:
    """A program that goes on in a terminal."""

    def __init__(self, command: str, directory: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            shell=True,
            executable="/bin/bash",
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._told = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def shows(self, shown: Sequence[str]) -> bool:
        """Whether these lines have come since those that were asked for last."""
        at = place_of(shown, self.lines[self._told :])
        if at is not None:
            self._told += at
        return at is not None

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.ends()

    def ends(self) -> None:
        """Waits for its end, and for all that it said."""
        self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> None:
        """Whatever it takes."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.ends()


class Reader:
    """Does one step after the other; fails at the first that does not show what the page shows."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.terminals: dict[str, Running] = {}
        self.numbers: dict[str, str] = {}
        """Process ids: of the page -> here."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")} | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTEST_ADDOPTS": "-p no:headrace -p streams.pytest_plugin -p no:cacheprovider",
            "COLUMNS": "100",
            "TERM": "dumb",
        }
        self.day = DAY

    def does(self, step: Step) -> None:
        if isinstance(step, Saved):
            self.saves(step)
        elif step.command is None:
            self.sees(step)
        elif step.interrupts:
            self.terminals[step.terminal].interrupt()
            self.sees(step)
            del self.terminals[step.terminal]
        elif any(start in step.command for start in LONG_RUNNING):
            self.waits(step)
            self.terminals[step.terminal] = Running(self.here(step.command), self.directory, self.environment)
            self.sees(step)
        else:
            self.types(step)

    def saves(self, step: Saved) -> None:
        file = self.directory / step.name
        text = self.here(step.text)
        if step.replaces is not None:
            text, found = re.subn(f"(?m)^{step.replaces}\n", lambda _: text, file.read_text())
            assert found == 1, f"{step.place}: {step.replaces!r} fits {found} times"
        # Who reads has time to look; who tests has not.
        file.write_text(text.replace("time.sleep(0.1)", "time.sleep(0.01)"))

    def waits(self, step: Typed) -> None:
        """Until what runs in the terminal has ended, to type the next command there."""
        running = self.terminals.pop(step.terminal, None)
        if running is not None:
            running.ends()

    def sees(self, step: Typed) -> None:
        running = self.terminals[step.terminal]
        shown = [self.here(line) for line in step.output]
        self.wait(lambda: running.shows(shown), step, lambda: running.lines)

    def types(self, step: Typed) -> None:
        assert step.command is not None
        self.waits(step)
        command = self.here(step.command)
        shown = [self.here(line) for line in step.output]
        seen: list[str] = []

        def done() -> bool:
            seen[:] = self.run(command)
            return matches(shown, seen)

        if command.startswith(READING):
            self.wait(done, step, lambda: seen)
        else:
            assert done(), self.difference(step, seen)
        self.bind(step.output, seen)

    def run(self, command: str) -> list[str]:
        words = shlex.split(command.replace("${day}", self.day), comments=True)
        if command.startswith("cd "):
            self.directory = self.directory / words[1]
            os.chdir(self.directory)
            return []
        if command.startswith("day="):
            [self.day] = self.told(f'{command}; echo "$day"')
            self.environment["day"] = self.day
            return []
        if words[0] == "headrace" and not re.search(r"[|<&(]", re.sub(r"'[^']*'", "", command)):
            return CliRunner().invoke(main, words[1:], prog_name="headrace", catch_exceptions=False).output.splitlines()
        return self.told(command)

    def told(self, command: str) -> list[str]:
        """What the shell answers."""
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE_S,
        )
        return done.stdout.splitlines()

    def here(self, text: str) -> str:
        """The page's text with the day, the port and the processes of here."""
        text = text.replace(DAY, self.day).replace(PORT, self.port)
        for number, other in self.numbers.items():
            text = re.sub(rf"\b{number}\b", other, text)
        return text

    def bind(self, shown: Sequence[str], seen: Sequence[str]) -> None:
        """Which process the page means: those in names of files that it lists."""
        there, here = (re.findall(r"worker-(\d+)", "\n".join(lines)) for lines in (shown, seen))
        self.numbers.update(zip(there, here))

    def wait(self, condition: Callable[[], bool], step: Typed, seen: Callable[[], Sequence[str]]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, self.difference(step, seen())
            time.sleep(0.1)

    def difference(self, step: Typed, seen: Sequence[str]) -> str:
        lines = (
            f"{step.place}, {step.terminal}: {step.command or '(goes on)'}",
            "shown:",
            *step.output,
            "seen:",
            *seen,
        )
        return "\n".join(lines)


@contextmanager
def reader(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """In a directory with nothing around it; what is left running is ended."""
    for name in [name for name in os.environ if name.startswith("HEADRACE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    for module in ("terminal", "query", "consume"):  # commands show what they show to people
        monkeypatch.setattr(f"streams.cli.{module}.on_terminal", lambda: True)
    person = Reader(directory)
    try:
        yield person
    finally:
        for running in person.terminals.values():
            running.stop()
