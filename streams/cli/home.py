"""A home: the directory beside a project where a bundled broker and its workers live.

    .headrace/
      broker/            the log (segment files)
      state/             the stores, a folder per application and task
      broker.json        who runs the broker now, and where it listens
      worker-4711.json   a running worker: its application and where it answers queries
      worker.log         what workers of the demo and of queries had to say

`headrace dev` and `headrace broker` use `.headrace` in the working directory, `headrace demo` uses `.headrace/demo`.
The JSON files are announcements: written when something runs, removed when it ends, and not to be believed without
a try, because a killed process cannot remove its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from streams.discovery import BROKER_FILE, HOME_DIRECTORY, BrokerAnnouncement, BrokerLocation, announced_broker

WORKER_LOG = "worker.log"
"""What workers write that have no terminal of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAnnouncement:
    """What a running worker says of itself: `endpoint` is the `host:port` of its queries."""

    application_id: str
    pid: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class Home:
    """The paths in a home, and the announcements in it."""

    path: Path

    @classmethod
    def here(cls) -> Home:
        """The home of the working directory, whether it exists yet or not."""
        return cls(Path(HOME_DIRECTORY))

    @classmethod
    def nearest(cls) -> Home:
        """The home in the working directory or the next one above it; that of the working directory if none exists."""
        first = Path.cwd()
        for directory in (first, *first.parents):
            if (directory / HOME_DIRECTORY).is_dir():
                return cls(directory / HOME_DIRECTORY)
        return cls.here()

    @property
    def broker_dir(self) -> Path:
        return self.path / "broker"

    @property
    def state_dir(self) -> Path:
        return self.path / "state"

    def running_broker(self) -> BrokerLocation | None:
        return announced_broker(self.path)

    @contextmanager
    def announce_broker(
        self,
        bootstrap_servers: str,
        data_dir: Path,
        security_protocol: str = "PLAINTEXT",
        sasl_mechanism: str | None = None,
    ) -> Generator[None]:
        """Says where the broker listens while the block runs."""
        announcement = BrokerAnnouncement(
            bootstrap_servers=bootstrap_servers,
            security_protocol=security_protocol,
            sasl_mechanism=sasl_mechanism,
            pid=os.getpid(),
            data_dir=str(data_dir.resolve()),
        )
        with self._announced(self.path / BROKER_FILE, announcement):
            yield

    @contextmanager
    def announce_worker(self, application_id: str, endpoint: str) -> Generator[None]:
        """Says where a worker of this process answers queries while the block runs."""
        announcement = WorkerAnnouncement(application_id=application_id, pid=os.getpid(), endpoint=endpoint)
        with self._announced(self.path / f"worker-{os.getpid()}.json", announcement):
            yield

    def workers(self) -> list[WorkerAnnouncement]:
        """The announced workers whose process exists, in the order of their process ids."""
        import msgspec  # not needed where a broker is started

        found: list[WorkerAnnouncement] = []
        for file in self.path.glob("worker-*.json"):
            try:
                announcement = msgspec.json.decode(file.read_bytes(), type=WorkerAnnouncement)
                os.kill(announcement.pid, 0)
            except (OSError, msgspec.DecodeError):
                continue  # ended without cleaning up
            found.append(announcement)
        return sorted(found, key=lambda worker: worker.pid)

    @contextmanager
    def _announced(self, file: Path, announcement: BrokerAnnouncement | WorkerAnnouncement) -> Generator[None]:
        self.path.mkdir(parents=True, exist_ok=True)
        content = json.dumps(asdict(announcement)).encode()
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(content)
        fresh.replace(file)  # readers see the whole file or none
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                if file.read_bytes() == content:  # somebody who came later may have announced himself over us
                    file.unlink()
