"""The broker's data directory: whose it is, which format, who uses it, how the last broker ended.

broker.json       {"format": 1, "cluster_id": …}    only written once
lock              held (flock) while a broker runs
clean-shutdown    there only between a clean shutdown and the next start
scram-credentials.json   what AlterUserScramCredentials has set; for its owner's eyes only
producer-ids      end of the producer ids given out
acls.json         who may do what, if anybody has said so
group-configs.json  configs of single groups
dynamic-configs.json, client-quotas.json, features.json    what clients have set, where they have
leader-epoch      that of all partitions
topics/           one JSON file per topic
logs/             one directory per partition
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from pathlib import Path
from uuid import uuid4

from broker.errors import DataDirectoryError, DataDirectoryLockedError
from broker.files import write_atomically

FORMAT = 1


class DataDirectory:
    """Locked while open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = -1
        self.cluster_id = ""
        self.clean = False
        """Whether the last broker shut down cleanly (or there was none)."""

    @property
    def topics(self) -> Path:
        return self.path / "topics"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def producer_ids(self) -> Path:
        return self.path / "producer-ids"

    @property
    def group_configs(self) -> Path:
        return self.path / "group-configs.json"

    @property
    def dynamic_configs(self) -> Path:
        return self.path / "dynamic-configs.json"

    @property
    def client_quotas(self) -> Path:
        return self.path / "client-quotas.json"

    @property
    def features(self) -> Path:
        return self.path / "features.json"

    @property
    def leader_epoch(self) -> Path:
        return self.path / "leader-epoch"

    @property
    def scram_credentials(self) -> Path:
        return self.path / "scram-credentials.json"

    @property
    def acls(self) -> Path:
        return self.path / "acls.json"

    @property
    def clean_marker(self) -> Path:
        return self.path / "clean-shutdown"

    def open(self) -> None:
        """Creates the directory if need be, and locks it. Raises DataDirectoryError and its kinds."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.refuse_foreign()
            self.take_lock()
            self.read_identity()
            self.logs.mkdir(exist_ok=True)
            self.clean = self.clean_marker.exists()
            self.clean_marker.unlink(missing_ok=True)
        except OSError as error:
            self.release()
            raise DataDirectoryError(
                f"cannot use data directory {self.path}: {error.strerror}; choose another one (--data) or change its "
                "permissions"
            ) from error
        except DataDirectoryError:
            self.release()
            raise

    def open_at_rest(self) -> bool:
        """Locks a data directory that is there, to look at it; whether the last broker shut down cleanly. Raises
        DataDirectoryError and its kinds."""
        if not (self.path / "broker.json").exists():
            raise DataDirectoryError(f"{self.path} is not a data directory of this broker: it has no broker.json in it")
        try:
            self.take_lock()
            self.read_identity()
            self.clean = self.clean_marker.exists()
        except OSError as error:
            self.release()
            raise DataDirectoryError(f"cannot use data directory {self.path}: {error.strerror}") from error
        except DataDirectoryError:
            self.release()
            raise
        return self.clean

    def refuse_foreign(self) -> None:
        """A directory with other things in it is somebody else's."""
        if not (self.path / "broker.json").exists():
            strange = sorted({entry.name for entry in self.path.iterdir()} - {"lock", "lost+found"})
            if strange:
                raise DataDirectoryError(
                    f"{self.path} is not a data directory of this broker (it has {strange[0]!r} in it, but no "
                    "broker.json); choose an empty or new one (--data)"
                )

    def take_lock(self) -> None:
        self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataDirectoryLockedError(
                f"data directory {self.path} is in use by another broker (process {self.holder()}); stop it, or "
                "choose another directory (--data)"
            ) from error
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, str(os.getpid()).encode(), 0)

    def holder(self) -> str:
        return os.pread(self.lock, 32, 0).decode(errors="replace") or "unknown"

    def read_identity(self) -> None:
        path = self.path / "broker.json"
        if not path.exists():
            identity = {"format": FORMAT, "cluster_id": base64.urlsafe_b64encode(uuid4().bytes).decode()[:22]}
            write_atomically(path, json.dumps(identity).encode(), durable=True)
            self.cluster_id = identity["cluster_id"]
            return
        try:
            content = json.loads(path.read_bytes())
            found, self.cluster_id = content["format"], str(content["cluster_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataDirectoryError(f"{path} is damaged ({error}); restore it from a backup") from error
        if found != FORMAT:
            raise DataDirectoryError(
                f"{self.path} has data format {found}, this broker reads format {FORMAT}; use the version that wrote it"
            )

    def mark_clean(self) -> None:
        """The logs are closed and whole: the next start need not scan them."""
        write_atomically(self.clean_marker, b"", durable=True)

    def release(self) -> None:
        """Gives up the lock."""
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1
