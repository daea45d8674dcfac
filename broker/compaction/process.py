"""Cleaning in a process of its own: opening every record is work for the interpreter, and its lock is the broker's."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from broker.compaction.cleaning import Cleaning, Outcome, Replacement
from broker.protocol.batches import CorruptBatchError

PACKAGE_ROOT = Path(__file__).resolve().parent.parent.parent


class CleanerProcess:
    """Starts when a pass begins and lives until `rest`. `begin` and `proceed` block: for one other thread to call."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.closed = False

    def begin(self, cleaning: Cleaning) -> Replacement | Outcome:
        """Starts a pass and returns its first step. Raises OSError, CorruptBatchError."""
        with self.lock:
            if self.closed:
                raise OSError(errno.ECHILD, "the cleaner is closed")
            if self.process is None:
                self.process = spawn()
        return self.ask(json.dumps(asdict(cleaning)))

    def proceed(self) -> Replacement | Outcome:
        """The next step, when the last one's segment has been put in place."""
        return self.ask("")

    def ask(self, line: str) -> Replacement | Outcome:
        process = self.process
        if process is None or process.stdin is None or process.stdout is None:
            raise OSError(errno.ECHILD, "the cleaner's process was ended")
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        except ValueError as error:
            raise OSError(errno.ECHILD, "the cleaner's process was ended") from error
        if not answer.endswith(b"\n"):
            raise OSError(errno.ECHILD, "the cleaner's process died; see its messages on stderr")
        fields = json.loads(answer)
        match fields.pop("kind"):
            case "replacement":
                return Replacement(**fields)
            case "outcome":
                return Outcome(**fields)
            case "corrupt":
                raise CorruptBatchError(fields["message"])
            case _:
                raise OSError(fields["errno"], fields["message"])

    def rest(self) -> None:
        """Ends the process, whatever it does, until the next pass; a call under way raises OSError."""
        with self.lock:
            process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # something was left to be written
                        pipe.close()

    def close(self) -> None:
        """Ends the process for good."""
        with self.lock:
            self.closed = True
        self.rest()


def spawn() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "broker.compaction.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # a Ctrl-C is the broker's; this process ends with it
    )
