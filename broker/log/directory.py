"""The logs of all partitions, one directory each: `<data>/logs/<topic>-<partition>`.

The directory of a deleted topic is renamed first, `<random>-delete`, so that it can never be taken for a new topic of
the same name, and removed then; leftovers go at the next start.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from uuid import uuid4

from broker.files import sync_directory
from broker.leader_epoch import MAX_EPOCH
from broker.log.open_files import OpenFiles, file_limit
from broker.log.partition import PartitionLog
from broker.log.recovery import open_log
from broker.log.retention import retain
from broker.topics.topic import Topic

LOG = logging.getLogger("broker.log")
DELETED_SUFFIX = "-delete"


class LogDirectory:
    """(topic, partition) → its log. Owned by the broker state; used in the event loop's thread."""

    def __init__(self, path: Path, *, durable: bool, clock: Callable[[], int]) -> None:
        self.path = path
        self.durable = durable
        self.clock = clock
        self.files = OpenFiles(file_limit())
        self.logs: dict[tuple[str, int], PartitionLog] = {}

    def get(self, topic: str, partition: int) -> PartitionLog | None:
        return self.logs.get((topic, partition))

    def __iter__(self) -> Iterator[PartitionLog]:
        return iter(list(self.logs.values()))

    def open(self, topic: Topic, *, trusted: bool, last_epoch: int = MAX_EPOCH) -> list[PartitionLog]:
        """Opens or creates the logs of a topic that are not open yet, and returns those. `last_epoch`: see `open_log`.

        Raises OSError.
        """
        opened: list[PartitionLog] = []
        for partition in range(topic.partitions):
            if (topic.name, partition) not in self.logs:
                log = open_log(
                    topic=topic.name,
                    partition=partition,
                    directory=self.partition_path(topic.name, partition),
                    config=topic.config,
                    durable=self.durable,
                    internal=topic.internal,
                    trusted=trusted,
                    clock=self.clock,
                    last_epoch=last_epoch,
                    files=self.files,
                )
                self.logs[topic.name, partition] = log
                opened.append(log)
        if self.durable and opened:
            sync_directory(self.path)
        return opened

    def reopen(self, log: PartitionLog) -> PartitionLog:
        """Opens a log anew from its files, as after a crash, in its leader epoch; it takes the other one's place.

        Raises OSError, and then that one stays.
        """
        log.release()
        again = open_log(
            topic=log.topic,
            partition=log.partition,
            directory=log.directory,
            config=log.config,
            durable=log.durable,
            internal=log.internal,
            trusted=False,
            clock=self.clock,
            last_epoch=log.leader_epoch,
            files=self.files,
        )
        again.lead(log.leader_epoch)
        self.logs[log.topic, log.partition] = again
        return again

    def configure(self, topic: Topic) -> None:
        """Puts a topic's new configs to work."""
        for partition in range(topic.partitions):
            self.logs[topic.name, partition].config = topic.config

    def delete(self, name: str, partitions: Container[int] = range(sys.maxsize)) -> None:
        """Closes and removes all logs of a topic, or those of some partitions, open or not."""
        for key in [key for key in self.logs if key[0] == name and key[1] in partitions]:
            self.logs.pop(key).release()
        for path in self.path.glob(f"{name}-*"):
            number = path.name[len(name) + 1 :]
            if number.isdecimal() and int(number) in partitions:
                path.rename(self.path / f"{uuid4().hex}{DELETED_SUFFIX}")
        self.sweep()

    def sweep(self) -> None:
        """Removes what deleted topics left."""
        for path in self.path.glob(f"*{DELETED_SUFFIX}"):
            shutil.rmtree(path, ignore_errors=True)

    def retain(self) -> None:
        """Applies retention to all logs."""
        for log in self:
            try:
                dropped = retain(log, self.clock())
            except OSError as error:
                LOG.error("%s: retention failed: %s", log.name, error)
            else:
                if dropped:
                    LOG.info("%s: retention dropped %d segments; starts at %d", log.name, dropped, log.start_offset)

    def close(self, *, sync: bool) -> None:
        """Closes all logs so that the next start can trust them. Raises OSError if one cannot be."""
        for log in self:
            log.close(sync=sync)
        self.logs.clear()

    def partition_path(self, topic: str, partition: int) -> Path:
        return self.path / f"{topic}-{partition}"
