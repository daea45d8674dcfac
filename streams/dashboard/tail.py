"""The live tail of a topic: what is on it from somewhere on, then what comes, a batch at a time.

Until it has come to where the topic ended at its beginning, a tail takes no more than is shown at a time, so nothing is
left out. From there on it keeps up with the topic instead: of records that come faster than they can be shown it shows
the newest, and says how many it left out. Its work per batch is bounded by time, since it holds the interpreter's lock
that the stream thread needs too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from confluent_kafka import Message

from streams.dashboard.record_filter import RecordFilter
from streams.dashboard.record_view import RecordView, SeenRecord

SHOWN_RECORDS = 50
"""At most so many in a batch."""
FETCH_RECORDS = 200
WORK_S = 0.02
"""How long a batch may take of the interpreter."""
MOST_BEHIND = 2_000
"""Records that a live tail may be behind the end of a partition; then it jumps to the end."""


class TailFeed(Protocol):
    """The records of some partitions of a topic, from where the tail begins. Used by one thread at a time."""

    def fetch(self, count: int) -> Sequence[Message]:
        """Records and events that are there, without waiting. Raises KafkaException."""
        ...

    def end(self, partition: int) -> int | None:
        """Where the partition ended when the broker last answered; None: not known yet."""
        ...

    def skip_to(self, offsets: Mapping[int, int]) -> None:
        """Reads on from there."""
        ...


class Tail:
    """Takes steps; each gives a batch. `next` is by partition the offset to go on with."""

    def __init__(
        self,
        topic: str,
        feed: TailFeed,
        view: RecordView,
        wanted: RecordFilter,
        *,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        clock: Callable[[], float],
    ) -> None:
        """`ends`: where the partitions end at the beginning; `clock` in s."""
        self._topic = topic
        self._feed = feed
        self._view = view
        self._wanted = wanted
        self._clock = clock
        self._waiting: deque[Message] = deque()
        self._open = {partition for partition, end in ends.items() if starts[partition] < end}
        self._ends = ends
        self.next = dict(starts)
        self.read = self.shown = self.dropped = 0

    @property
    def live(self) -> bool:
        """Whether it has come to where the topic ended at its beginning."""
        return not self._open

    def step(self) -> dict[str, Any]:
        """The next batch: its records, oldest first, and counts since the beginning.

        `read` records looked at, `shown` of them told, `dropped` left out although they fit or unseen, `failed` ones on
        which the expression raised. Raises KafkaException.
        """
        until, live = self._clock() + WORK_S, self.live
        found: list[SeenRecord] = []
        while self._clock() < until and (live or len(found) < SHOWN_RECORDS):
            if not self._waiting:
                self._waiting.extend(self._feed.fetch(FETCH_RECORDS))
                if not self._waiting:
                    break
            record = self._take(self._waiting.popleft())
            if record is not None:
                found.append(record)
        if live:
            self.dropped += max(0, len(found) - SHOWN_RECORDS)
            found = found[-SHOWN_RECORDS:]
            self._keep_up()
        self.shown += len(found)
        return {
            "records": [record.body() for record in found],
            "read": self.read,
            "shown": self.shown,
            "dropped": self.dropped,
            "failed": self._wanted.failed,
            "live": self.live,
        }

    def _take(self, message: Message) -> SeenRecord | None:
        """A record that fits; None for others and for events."""
        from confluent_kafka import KafkaError, KafkaException

        partition, error = message.partition() or 0, message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # pyright: ignore[reportPrivateUsage]
                self._open.discard(partition)
            elif error.fatal() or not error.retriable():
                raise KafkaException(error)
            return None
        offset = message.offset() or 0
        if offset < self.next[partition]:
            return None  # fetched before a jump
        self.next[partition] = offset + 1
        if offset + 1 >= self._ends[partition]:
            self._open.discard(partition)
        self.read += 1
        record = self._view.seen(message)
        return record if self._wanted(record, self._topic) else None

    def _keep_up(self) -> None:
        """Jumps to shortly before the end where it is too far behind."""
        jumps: dict[int, int] = {}
        for partition, offset in self.next.items():
            end = self._feed.end(partition)
            if end is not None and end - offset > MOST_BEHIND:
                jumps[partition] = end - SHOWN_RECORDS
                self.dropped += jumps[partition] - offset
                self.next[partition] = jumps[partition]
        if jumps:
            self._waiting = deque(each for each in self._waiting if each.partition() not in jumps)
            self._feed.skip_to(jumps)
