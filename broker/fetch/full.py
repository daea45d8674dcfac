"""A fetch that names all it wants, without a session."""

from __future__ import annotations

from collections.abc import Iterator, Set

from kio.schema.errors import ErrorCode

from broker.fetch.answer import Line, encode
from broker.fetch.reading import read_line, refusal, topic_name
from broker.fetch.request import READ_COMMITTED, FetchRequest, TopicKey
from broker.log.partition import PartitionLog
from broker.protocol.batches import Buffer
from broker.state import BrokerState


class FullFetch:
    """Partitions are answered in the client's order: it is the client that sees to their fairness."""

    __slots__ = ("broker", "denied", "request")

    def __init__(self, broker: BrokerState, request: FetchRequest) -> None:
        self.broker = broker
        self.request = request
        self.denied: Set[TopicKey] = frozenset()
        """Topics that the client must not read."""

    def answer(self) -> tuple[int, bool, list[Buffer]]:
        """(bytes of records, whether there is no use in waiting for more, the response body)."""
        broker, request = self.broker, self.request
        logs = broker.logs.logs
        room = broker.fetch_room(request.max_bytes)
        total = 0
        at_once = not request.topics
        committed = request.isolation_level == READ_COMMITTED
        topics: list[tuple[TopicKey, list[Line]]] = []
        for topic, partitions in request.topics:
            name = topic_name(broker, topic)
            lines: list[Line] = []
            for wanted in partitions:
                if topic in self.denied:
                    line = refusal(wanted.partition, ErrorCode.topic_authorization_failed)
                else:
                    log = logs.get((name, wanted.partition))
                    line = read_line(log, topic, name, wanted, room - total, committed=committed, first=not total)
                total += len(line.records)
                if line.code or line.diverging is not None:
                    at_once = True
                lines.append(line)
            topics.append((topic, lines))
        return total, at_once, encode(request.version, topics, committed=committed)

    def told(self) -> None:
        """The last answer goes to the client."""

    def topics(self) -> Set[TopicKey]:
        """What is asked for."""
        return {topic for topic, _ in self.request.topics}

    def logs(self) -> Iterator[PartitionLog]:
        """Those whose growth is waited for."""
        for topic, partitions in self.request.topics:
            name = topic_name(self.broker, topic)
            for wanted in partitions:
                log = self.broker.logs.get(name, wanted.partition)
                if log is not None:
                    yield log
