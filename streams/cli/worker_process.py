"""A worker in a process of its own: how it is started, told to stop, and not left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ORPHAN_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCommand:
    """The command line of a worker process. Its slot among those on one state directory it finds itself: the lowest
    that is free, which for a restarted process is its predecessor's."""

    application: str
    bootstrap_servers: str
    state_dir: Path
    home: Path
    security_protocol: str | None = "PLAINTEXT"
    """What the broker asks of its clients; None: their settings know."""
    sasl_mechanism: str | None = None
    """Likewise, where the settings do not say."""
    web: bool = False
    """It serves the dashboard."""
    web_port: int | None = None
    """The port of that, which it shares with others."""

    def arguments(self) -> list[str]:
        return [
            *(sys.executable, "-P", "-m", "streams.cli", "worker", self.application),
            *("--bootstrap-servers", self.bootstrap_servers),
            *("--state-dir", str(self.state_dir)),
            *("--announce-in", str(self.home)),
            "--until-stdin-closes",
            *(["--security-protocol", self.security_protocol] if self.security_protocol else []),
            *(["--sasl-mechanism", self.sasl_mechanism] if self.sasl_mechanism else []),
            *(["--web"] if self.web else []),
            *(["--web-port", str(self.web_port)] if self.web_port is not None else []),
        ]


class WorkerProcess:
    """A running worker process. It has a session of its own, so a Ctrl-C in the terminal reaches only its parent,
    which ends things in order; its stdin is a pipe from the parent, so that it notices when the parent is gone."""

    def __init__(self, command: WorkerCommand, *, talk_to: IO[bytes] | None = None) -> None:
        """Starts it. `talk_to` takes what it writes to stderr (default: our own stderr)."""
        self.command = command
        self._process = subprocess.Popen(
            command.arguments(), stdin=subprocess.PIPE, stderr=talk_to, start_new_session=True, env=os.environ.copy()
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal killed it."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """SIGTERM: commit, leave the group, end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def end(self, timeout_s: float) -> bool:
        """Waits for it to end; kills it after `timeout_s`. Returns whether it ended by itself."""
        try:
            self._process.wait(max(0.0, timeout_s))
            return True
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()


def call_when_stdin_closes(stop: Callable[[], None]) -> None:
    """Calls `stop` from a thread once the parent process is gone and our stdin with it.

    Its broker may be gone too, and a last commit would be tried for long: after a few seconds the process just ends.
    What is not committed is processed again by whoever comes next.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop()
        time.sleep(ORPHAN_TIMEOUT_S)
        os._exit(1)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
