"""The fetch sessions of all clients, a bounded number of them.

When it is full, a session that was not used for two minutes makes room, or else one that is as old and smaller than
the new one; otherwise the client gets none and goes on with full fetches.

Source: KIP-227, `FetchSessionCacheShard` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Callable

from broker.fetch.request import TOPIC_IDS_FROM, FetchRequest
from broker.fetch.session import FetchSession

EVICTION_MS = 120_000
"""`min.incremental.fetch.session.eviction.ms`."""
MAX_PARTITIONS = 200_000
"""Of all sessions together; a client may name any number, and what it names has to be remembered."""


class FetchSessionCache:
    """Owned by the broker state; `clock` gives ms, `new_id` a random number from 1 to 2^31 - 1."""

    def __init__(self, slots: int, *, clock: Callable[[], int], new_id: Callable[[], int]) -> None:
        self.slots = slots
        self.clock = clock
        self.new_id = new_id
        self.sessions: dict[int, FetchSession] = {}
        """By id, the one used longest ago first."""
        self.partitions = 0
        """In all of them."""
        self.evictions = 0

    def __len__(self) -> int:
        return len(self.sessions)

    def get(self, session_id: int) -> FetchSession | None:
        return self.sessions.get(session_id)

    def open(self, request: FetchRequest) -> FetchSession | None:
        """A session of what a full fetch wants; None: there is no room for it."""
        size = sum(len(lines) for _, lines in request.topics)
        if self.partitions + size > MAX_PARTITIONS or not self.make_room(size):
            return None
        session_id = self.new_id()
        while session_id in self.sessions:
            session_id = self.new_id()
        session = FetchSession(session_id, request, self.clock(), by_topic_id=request.version >= TOPIC_IDS_FROM)
        self.sessions[session_id] = session
        self.partitions += len(session.partitions)
        return session

    def update(self, session: FetchSession, request: FetchRequest) -> None:
        """What the next fetch of a session changes in it. The session is closed if nothing is left in it, or if it
        became too large."""
        before = len(session.partitions)
        session.update(request)
        self.partitions += len(session.partitions) - before
        session.last_used = self.clock()
        del self.sessions[session.id]
        self.sessions[session.id] = session
        if not session.partitions or self.partitions > MAX_PARTITIONS:
            self.close(session.id)

    def close(self, session_id: int) -> None:
        """Nothing happens if there is no such session."""
        session = self.sessions.pop(session_id, None)
        if session is not None:
            self.partitions -= len(session.partitions)

    def make_room(self, size: int) -> bool:
        """Whether a session of that many partitions may join; one that stands back for it is gone then."""
        if len(self.sessions) < self.slots:
            return True
        before = self.clock() - EVICTION_MS
        for oldest in self.sessions.values():
            if oldest.last_used < before:
                return self.evict(oldest)
            break
        old = [session for session in self.sessions.values() if session.created < before]
        smallest = min(old, key=lambda session: len(session.partitions), default=None)
        return smallest is not None and len(smallest.partitions) < size and self.evict(smallest)

    def evict(self, session: FetchSession) -> bool:
        self.evictions += 1
        self.close(session.id)
        return True
