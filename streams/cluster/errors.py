"""What goes wrong when a cluster is asked."""

from __future__ import annotations

from streams.errors import StreamsError


class ClusterError(StreamsError):
    """The cluster refuses, does not answer, or has no such thing. The message has its own words."""


class UnknownTopicError(ClusterError):
    """There is no topic of that name, or none that this user may see."""

    def __init__(self, topic: str, words: str) -> None:
        super().__init__(f"topic {topic!r}: {words}; `headrace topics` lists those there are")
        self.topic = topic
