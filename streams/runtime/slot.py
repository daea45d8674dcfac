"""Which of the workers on one state directory this one is.

Static membership wants a name that a restarted worker has again. Workers that share a host and a state directory are
told apart by slots, 0, 1, 2 …; a worker holds its slot's lock file as long as it lives, and the kernel lets go of it
however the worker ends. So the next one started takes the place of the one that is gone, and its tasks with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from pathlib import Path

from streams.errors import ConfigError, StateError

MOST_SLOTS = 1024


class Slot:
    """A held slot; `close` gives it back."""

    def __init__(self, directory: Path, number: int, descriptor: int) -> None:
        self.number = number
        self._directory = directory
        self._descriptor = descriptor

    @classmethod
    def claim(cls, directory: Path, number: int | None = None) -> Slot:
        """Takes slot `number` of an application's directory, or the lowest that is free.

        Raises:
            ConfigError: slot `number` is held by a living worker.
            StateError: the directory cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for wanted in range(MOST_SLOTS) if number is None else (number,):
                descriptor = os.open(directory / f"worker-{wanted}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(descriptor)
                    continue
                return cls(directory, wanted, descriptor)
        except OSError as error:
            raise StateError(
                f"the state directory {directory} cannot be written ({error.strerror}): choose another state_dir"
            ) from error
        raise ConfigError(
            f"slot {number} of {directory} is taken by a running worker: stop it, or let the slot be chosen",
            setting="slot",
        )

    def instance_id(self, application_id: str) -> str:
        """The name of the group member, the same whenever this slot is taken: application, host, directory, slot."""
        return self.name(application_id, self._directory, self.number)

    @staticmethod
    def name(application_id: str, directory: Path, number: int) -> str:
        """The same for slot `number` of a directory, whoever holds it."""
        place = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:8]
        return f"{application_id}-{socket.gethostname()}-{place}-{number}"

    def close(self) -> None:
        """Gives the slot back. The lock file stays: somebody may just have opened it."""
        os.close(self._descriptor)
