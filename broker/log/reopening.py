"""Takes a partition into use again whose fdatasync failed (fsync=always), once the disk takes what is written.

After the failure nobody knows which of the new bytes are on the disk, and the system does not try them again. So none
of them counts: no producer was told that they are safe, and no consumer has seen them. The log is cut off where the
last successful sync ended, the page in which that lies is written anew, and the log is opened from its files, with the
producers as they were there.
"""

from __future__ import annotations

import asyncio
import logging
import os

from broker.log.directory import LogDirectory
from broker.log.partition import PartitionLog

LOG = logging.getLogger("broker.log")
FIRST_DELAY_S, LAST_DELAY_S = 1.0, 60.0
PAGE = 65_536
"""A multiple of the page size of any system."""


class Reopening:
    """Owned by the broker state; used in the event loop's thread."""

    def __init__(self, logs: LogDirectory) -> None:
        self.logs = logs
        self.timers: dict[PartitionLog, asyncio.TimerHandle] = {}

    def soon(self, log: PartitionLog, delay_s: float = 0.0) -> None:
        """Tries after a while (0: the first delay), and again and again until it succeeds."""
        delay_s = delay_s or FIRST_DELAY_S
        self.timers[log] = asyncio.get_running_loop().call_later(delay_s, self.attempt, log, delay_s)

    def attempt(self, log: PartitionLog, delay_s: float) -> None:
        del self.timers[log]
        if self.logs.get(log.topic, log.partition) is not log:
            return  # deleted meanwhile
        try:
            log.active.sync()
            cut_back(log)
            again = self.logs.reopen(log)
        except OSError as error:
            LOG.warning("%s: the storage still fails: %s", log.name, error)
            self.soon(log, min(2 * delay_s, LAST_DELAY_S))
        else:
            LOG.warning("%s: takes writes again, from offset %d on", log.name, again.end_offset)

    def close(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()


def cut_back(log: PartitionLog) -> None:
    """Cuts the files off at the last successful sync, durably. May be done again. Raises OSError."""
    base_offset, position = log.visible_end
    for segment in reversed(log.segments):
        if segment.base_offset > base_offset:
            segment.delete()
            continue
        if segment.base_offset == base_offset:
            segment.close()
            with open(segment.path, "r+b") as file:
                start = position - position % PAGE
                content = os.pread(file.fileno(), position - start, start)
                file.truncate(position)
                os.pwrite(file.fileno(), content, start)
                os.fsync(file.fileno())
        break
