"""Runs `headrace` as people do, in processes of their own, and knows what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import IO
from unittest.mock import patch

import psutil
from click.testing import CliRunner

from streams.cli import main

TIMEOUT_S = 100


class CommandDirectory:
    """Runs `headrace` in a directory of its own and knows which processes came of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}

    def start(self, *words: str, stderr: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.cli", *words],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=TIMEOUT_S)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same as `run` in this process, which takes a tenth of the time: for looking at what another command does,
        again and again."""
        with chdir(self.directory), patch.dict(os.environ, self.environment, clear=True):
            done = CliRunner().invoke(main, words, prog_name="headrace")
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    def processes(self) -> list[psutil.Process]:
        """Those that work in our directory, whoever their parent is now."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter(["pid"]):
            try:
                if Path(process.cwd()) == self.directory and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue  # ended meanwhile, or not ours to look at
        return found

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.05)


@contextmanager
def command_directory(path: Path) -> Generator[CommandDirectory]:
    """A directory to run commands in; fails if a process is still working in it at the end."""
    commands = CommandDirectory(path.resolve())
    yield commands
    left = commands.processes()
    for process in left:
        process.kill()
    assert left == [], "processes are left over"
