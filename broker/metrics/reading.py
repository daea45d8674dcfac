"""What metrics are read from. To be used in the event loop's thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog
    from broker.server.server import Server
    from broker.watch import RequestMeter


class Reading:
    """A server, and where its logs ended when counting began."""

    def __init__(self, server: Server, requests: RequestMeter) -> None:
        self.server = server
        self.state = server.state
        self.requests = requests
        self.begun_at: WeakKeyDictionary[PartitionLog, int] = WeakKeyDictionary()
        for log in self.state.logs:
            self.begun_at[log] = log.end_offset

    def logs(self) -> Iterator[PartitionLog]:
        return iter(self.state.logs)

    def records_in(self, log: PartitionLog) -> int:
        """Offsets given since the start: records, and markers of transactions."""
        return log.end_offset - self.begun_at.get(log, 0)
