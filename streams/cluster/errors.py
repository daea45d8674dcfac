"""What goes wrong when a cluster is asked."""

from __future__ import annotations

from streams.errors import StreamsError


class ClusterError(StreamsError):
    """The cluster refuses, does not answer, or has no such thing. The message has its own words."""


class UnknownTopicError(ClusterError):
    """There is no topic of that name, or none that this user may see. `near`: the one that may be meant."""

    def __init__(self, topic: str, words: str, near: str | None = None) -> None:
        meant = "" if near is None else f"did you mean {near!r}? "
        super().__init__(f"topic {topic!r}: {words}; {meant}`headrace topics` lists those there are")
        self.topic = topic
