"""A fetch within a session: only what is new is answered.

A partition is in the answer if it has records, an error, or a high watermark or start that the client was not told
yet. Finding out is a few comparisons for each partition of the session, so one with hundreds is cheap to serve.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from kio.schema.errors import ErrorCode

from broker.fetch.answer import Line, encode
from broker.fetch.reading import read_line, refusal, topic_name
from broker.fetch.request import READ_COMMITTED, FetchRequest, TopicKey
from broker.fetch.session import UNTOLD, FetchSession, SessionPartition
from broker.log.partition import PartitionLog
from broker.protocol.batches import Buffer
from broker.state import BrokerState


class SessionFetch:
    """One request of a session, the first one, which opened it, included."""

    __slots__ = ("broker", "denied", "epoch", "fresh", "request", "session")

    def __init__(self, broker: BrokerState, request: FetchRequest, session: FetchSession) -> None:
        self.broker = broker
        self.request = request
        self.session = session
        self.denied: Set[TopicKey] = frozenset()
        """Topics that the client must not read."""
        self.epoch = session.epoch
        """Of the session while this is its newest request."""
        self.fresh: list[tuple[SessionPartition, Line]] = []
        """What the last answer said."""

    def answer(self) -> tuple[int, bool, list[Buffer]]:
        """(bytes of records, whether there is no use in waiting for more, the response body)."""
        broker, request = self.broker, self.request
        version = request.version
        committed = request.isolation_level == READ_COMMITTED
        fresh: list[tuple[SessionPartition, Line]] = []
        self.fresh = fresh
        if self.session.epoch != self.epoch:
            # The client went on without waiting: what this answer would tell is no longer what it was.
            return 0, True, encode(version, (), committed=committed, error=ErrorCode.invalid_fetch_session_epoch)
        room = broker.fetch_room(request.max_bytes)
        total = 0
        at_once = False
        denied = self.denied
        for partition in self.session.partitions.values():
            if denied and partition.topic in denied:
                fresh.append((partition, refusal(partition.wanted.partition, ErrorCode.topic_authorization_failed)))
                at_once = True
                continue
            log = partition.log
            if log is None or log.released:
                log = self.find(partition)
            wanted = partition.wanted
            if (
                log is not None
                and wanted.last_epoch < 0
                and partition.told_watermark == log.high_watermark
                and partition.told_start == log.start_offset
                and wanted.offset == (log.stable.offset if committed else log.high_watermark)
            ):
                continue
            name = "" if log is None else log.topic
            line = read_line(log, partition.topic, name, wanted, room - total, committed=committed, first=not total)
            if line.records:
                total += len(line.records)
            elif line.code or line.diverging is not None:
                at_once = True
            elif partition.told_watermark == line.watermark and partition.told_start == line.start:
                continue
            fresh.append((partition, line))
        topics: list[tuple[TopicKey, list[Line]]] = []
        for partition, line in fresh:
            if topics and topics[-1][0] == partition.topic:
                topics[-1][1].append(line)
            else:
                topics.append((partition.topic, [line]))
        return total, at_once, encode(version, topics, committed=committed, session_id=self.session.id)

    def find(self, partition: SessionPartition) -> PartitionLog | None:
        """The partition's log; a topic made anew under its name has another one than before."""
        name = topic_name(self.broker, partition.topic)
        partition.log = log = self.broker.logs.get(name, partition.wanted.partition)
        partition.told_watermark = partition.told_start = UNTOLD
        return log

    def told(self) -> None:
        """The last answer goes to the client: it need not be said again, and others come first next time."""
        served: list[tuple[TopicKey, int]] = []
        for partition, line in self.fresh:
            partition.told_watermark = UNTOLD if line.code else line.watermark
            partition.told_start = line.start
            if line.records:
                served.append((partition.topic, line.partition))
        if served:
            self.session.serve(served)
        self.fresh = []

    def topics(self) -> Set[TopicKey]:
        """What is asked for, now and before."""
        return {topic for topic, _ in self.session.partitions}

    def logs(self) -> Iterator[PartitionLog]:
        """Those whose growth is waited for."""
        for partition in self.session.partitions.values():
            if partition.log is not None and not partition.log.released:
                yield partition.log
