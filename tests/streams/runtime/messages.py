"""Records as the client hands them out, for tests: real `confluent_kafka.Message` objects."""

from __future__ import annotations

from confluent_kafka import KafkaError, Message

from streams.compile.program import NO_LIMIT


def record(
    topic: str = "t",
    partition: int = 0,
    offset: int = 0,
    timestamp: int = 0,
    value: bytes | None = b"v",
    key: bytes | None = b"k",
    headers: list[tuple[str, bytes]] | None = None,
) -> Message:
    """A consumed record."""
    return Message(
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        value=value,
        headers=headers or [],
        timestamp=(1, timestamp),
    )


def partition_end(topic: str, partition: int, offset: int) -> Message:
    """The event that says a partition is read to its end."""
    return Message(topic=topic, partition=partition, offset=offset, error=KafkaError(KafkaError._PARTITION_EOF))


def fetch_error(topic: str, partition: int, code: int) -> Message:
    return Message(topic=topic, partition=partition, offset=0, error=KafkaError(code))


class RecordingSource:
    """A `SourceRun` that writes down what it ran: (topic, timestamp) in order."""

    def __init__(self, ran: list[tuple[str, int]]) -> None:
        self.ran = ran
        self.calls = 0
        self.max_timestamp = -1

    def head_time(self, message: Message) -> int:
        if message.value() == b"broken":
            raise ValueError("does not decode")
        return message.timestamp()[1]

    def run(self, messages: list[Message], start: int, end: int, limit: int = NO_LIMIT) -> int:
        self.calls += 1
        for index in range(start, end):
            time = messages[index].timestamp()[1]
            if time > limit:
                return index
            self.max_timestamp = max(self.max_timestamp, time)
            self.ran.append((messages[index].topic() or "", time))
        return end
