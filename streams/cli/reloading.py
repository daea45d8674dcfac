"""`headrace dev`'s loop: workers run, and whenever the program is saved they run what was saved.

    running ──saved, and it loads──▶ drained ──▶ running, the new program
       │    ──saved, and it does not load──▶ running, the old one; the error is on the screen
       └──fails again and again──▶ waiting ──saved──▶ as above

Draining commits; the new workers take the places of the old ones, with their tasks and their state.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import msgspec

from streams.cli.failures import CommandFailed
from streams.cli.supervisor import POLL_S, Supervisor
from streams.cli.terminal import talk


class Reloading:
    """Owns the supervisor while `run` runs."""

    def __init__(
        self,
        supervisor: Supervisor,
        saved: Callable[[], bool],
        loads: Callable[[], bool],
        *,
        say: Callable[[str], None] = talk,
    ) -> None:
        """Args:
        saved: whether a source file was saved since it was last asked.
        loads: whether the program as it now stands can be run; says why not.
        """
        self._supervisor = supervisor
        self._saved = saved
        self._loads = loads
        self._say = say
        self._waiting = False

    def run(self, wait_for_stop: Callable[[float], bool]) -> None:
        """Until `wait_for_stop(seconds)` says so; drains then."""
        try:
            self.step()
            while not wait_for_stop(POLL_S):
                self.step()
        finally:
            self._supervisor.drain()

    def step(self) -> None:
        if self._saved():
            if self._loads():
                self._say("saved: running it")
                self._supervisor.renew()
                self._waiting = False
            elif not self._waiting:
                self._say("saved, but it does not load: the workers go on with what they have")
        if self._waiting:
            return
        try:
            self._supervisor.step()
        except CommandFailed as failure:
            self._supervisor.drain()
            self._say(f"{failure.message}; waiting for you to save a change")
            self._waiting = True


def source_topics(application: str) -> list[str] | None:
    """The topics the program as saved reads, found in a process of its own, because this one has the old modules.

    None if it does not load; its error is on stderr then.
    """
    command = [sys.executable, "-P", "-m", "streams.cli", "topology", application, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return None
    document = msgspec.json.decode(done.stdout)
    topics = [
        source["topic"]
        for subtopology in document["subtopologies"]
        for source in subtopology["sources"]
        if source["role"] != "repartition"
    ]
    topics += [store["filled_by"] for store in document["global_stores"]]
    return list(dict.fromkeys(topics))
