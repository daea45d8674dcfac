"""An incremental fetch session (KIP-227): what a client wants to read, so that it need not say it again each time.

The broker remembers the partitions and what it last told of each; an incremental fetch names what changed, and its
answer leaves out what has nothing new. Partitions that were given records go to the end of the line, so that under a
small limit all get their turn.

Source: `FetchSession` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable

from broker.fetch.request import FetchRequest, TopicKey, Wanted
from broker.log.partition import PartitionLog

LAST_EPOCH = 2**31 - 1
UNTOLD = -1


class SessionPartition:
    """A partition of a session. `log` and what was told are kept by the fetch that answers."""

    __slots__ = ("log", "told_start", "told_watermark", "topic", "wanted")

    def __init__(self, topic: TopicKey, wanted: Wanted) -> None:
        self.topic = topic
        self.wanted = wanted
        self.log: PartitionLog | None = None
        """Found once; looked for again when it is released."""
        self.told_watermark = UNTOLD
        self.told_start = UNTOLD


class FetchSession:
    """One session; owned by the cache. Times in ms since the epoch."""

    __slots__ = ("by_topic_id", "created", "epoch", "id", "last_used", "partitions")

    def __init__(self, session_id: int, request: FetchRequest, now: int, *, by_topic_id: bool) -> None:
        self.id = session_id
        self.by_topic_id = by_topic_id
        """Whether its client names topics by id (Fetch 13 and later)."""
        self.epoch = 1
        """What the next fetch has to carry."""
        self.created = now
        self.last_used = now
        self.partitions: dict[tuple[TopicKey, int], SessionPartition] = {}
        """In the order in which they get their turn."""
        self.update(request)

    def update(self, request: FetchRequest) -> None:
        """Adds, changes and forgets what a request says."""
        partitions = self.partitions
        for topic, lines in request.topics:
            for wanted in lines:
                known = partitions.get((topic, wanted.partition))
                if known is None:
                    partitions[topic, wanted.partition] = SessionPartition(topic, wanted)
                else:
                    known.wanted = wanted
        for key in request.forgotten:
            partitions.pop(key, None)

    def advance(self) -> int:
        """The next epoch, which is not 0 again after the last one."""
        self.epoch = 1 if self.epoch == LAST_EPOCH else self.epoch + 1
        return self.epoch

    def serve(self, keys: Iterable[tuple[TopicKey, int]]) -> None:
        """They were given records: others come first now."""
        partitions = self.partitions
        for key in keys:
            partition = partitions.pop(key, None)
            if partition is not None:
                partitions[key] = partition
