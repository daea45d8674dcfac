"""Records that were read but not processed yet, and which of them is next.

A `PartitionBuffer` holds the lists in which records came, never touching single ones; `TaskInputs` are the buffers of
one task. A task with several inputs takes the oldest head record first, and goes on in the same input until a record
is younger than the other heads: one call of the compiled function runs that whole stretch.

While an input is empty, an older record may still be on its way, so the others wait, until the broker has said
(end of partition) that there is none. Source: Kafka Streams' `PartitionGroup` with `max.task.idle.ms` (KIP-695).
Differs: of equal timestamps tables go before streams, and inputs declared earlier before later ones; in Kafka Streams
such ties fall as they may.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from streams.compile.program import NO_LIMIT, Message, SourceRun
from streams.observe import InputMeters
from streams.runtime.watermark import UNBOUNDED, Watermark

RECORD_OVERHEAD_BYTES = 250
"""What a record costs in memory beside its value: the message object, its key and headers."""


class PartitionBuffer:
    """One source partition of one task.

    `at_end`: the broker said that nothing follows what was read, and nothing has come since.
    """

    __slots__ = (
        "_later",
        "at",
        "at_end",
        "batch",
        "buffered_bytes",
        "count",
        "end_offset",
        "ended",
        "head",
        "meters",
        "partition",
        "paused",
        "quiet",
        "quiet_since",
        "rank",
        "read_to",
        "source",
        "topic",
        "watermark",
    )

    def __init__(
        self,
        topic: str,
        partition: int,
        source: SourceRun,
        *,
        rank: int,
        now: int,
        position: int | None = None,
        watermark: Watermark | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.source = source
        self.rank = rank
        self.watermark = watermark
        self.batch: Sequence[Message] = ()
        self.at = 0
        self.count = 0
        self.buffered_bytes = 0
        self.head: int | None = None  # timestamp of the next record, once somebody asked for it
        self.at_end = False
        self.end_offset: int | None = None
        self.ended = False  # its end was told since the last commit, which may move the position past it
        self.read_to: Message | int | None = position  # last processed message, or the offset to go on from
        self.paused = False
        self.quiet = False
        self.meters = InputMeters(now / 1000)
        self.quiet_since = now  # when the last record came
        self._later: deque[Sequence[Message]] = deque()

    def append(self, batch: Sequence[Message], now: int) -> None:
        """Takes over a list of records of this partition; nobody may change it afterwards."""
        count = len(batch)
        if self.count:
            self._later.append(batch)
        else:
            self.batch, self.at, self.head = batch, 0, None
        self.count += count
        self.buffered_bytes += estimated_bytes(batch)
        self.at_end = False
        self.quiet_since = now

    def reached_end(self, offset: int) -> None:
        """The broker says that `offset` is the partition's end; whatever lay before it has been appended."""
        self.at_end = self.ended = True
        self.end_offset = offset

    @property
    def hungry(self) -> bool:
        """Whether it is empty and may have more at the broker."""
        return not self.count and not self.at_end

    def advance(self, to: int) -> None:
        """Records of the current batch before index `to` are processed."""
        done = to - self.at
        if done <= 0:
            return
        self.read_to = self.batch[to - 1]
        self.count -= done
        self.head = None
        if to < len(self.batch):
            self.at = to
            return
        self.buffered_bytes -= estimated_bytes(self.batch)
        self.batch, self.at = (self._later.popleft() if self._later else ()), 0

    def head_time(self) -> int:
        """Timestamp of the next record; only with `count` > 0. -1 if it cannot be told: then it is the next to run,
        and running it says what is wrong with it."""
        if self.head is None:
            try:
                self.head = self.source.head_time(self.batch[self.at])
            except Exception:  # whatever a decoder or the user's extractor raises is raised again by the run
                self.head = -1
        return self.head

    def position(self) -> int | None:
        """The offset to commit: the next record that is not processed; None before the first record of a partition
        without a committed offset. Past records that are none (transaction markers) once the end is reached."""
        if self.count == 0 and self.at_end:
            return self.end_offset
        read_to = self.read_to
        return read_to if read_to is None or isinstance(read_to, int) else read_to.offset() + 1

    def lag(self) -> int | None:
        """How many offsets of the partition are not processed yet; None while its end is not known. From any thread."""
        if self.count == 0 and self.at_end:
            return 0
        position, end = self.position(), self.meters.end
        return None if position is None or end is None else max(end - position, 0)

    def is_quiet(self, now: int, timeout: int) -> bool:
        """Whether the partition is read to its end and nothing came for `timeout` ms. Remembered in `quiet`."""
        self.quiet = self.at_end and self.count == 0 and now - self.quiet_since >= timeout
        return self.quiet

    def watermark_value(self) -> int:
        return UNBOUNDED if self.watermark is None else self.watermark.value


class TaskInputs:
    """The buffers of one task, in order of precedence (tables first)."""

    __slots__ = ("_idle_since", "_max_idle", "buffers")

    def __init__(self, buffers: Sequence[PartitionBuffer], *, max_task_idle_ms: int) -> None:
        self.buffers = sorted(buffers, key=lambda buffer: buffer.rank)
        self._max_idle = max_task_idle_ms
        self._idle_since: int | None = None

    def ready(self, now: int) -> bool:
        """Whether there is a record that may be processed now."""
        full = empty = unknown = False
        for buffer in self.buffers:
            if buffer.count:
                full = True
            elif buffer.at_end:
                empty = True
            else:
                unknown = True
        if not full:
            return False
        if self._max_idle < 0 or not (unknown or empty):
            self._idle_since = None
            return True
        if unknown:
            self._idle_since = None
            return False
        if self._max_idle == 0:
            return True
        if self._idle_since is None:
            self._idle_since = now
        return now - self._idle_since >= self._max_idle

    def next(self, now: int) -> tuple[PartitionBuffer, int] | None:
        """The buffer to run and the timestamp up to which it may be run; None if nothing may be run now.

        Called for every change of input, in the worst case for every record: hence one loop over the buffers, in which
        `least` is the oldest head so far, and `limit` what the others allow its buffer. A buffer that comes earlier
        in the loop has precedence at equal timestamps.
        """
        buffers = self.buffers
        if len(buffers) == 1:
            return (buffers[0], NO_LIMIT) if buffers[0].count else None
        if self._max_idle > 0 and not self.ready(now):
            return None
        oldest: PartitionBuffer | None = None
        least, limit = NO_LIMIT + 1, NO_LIMIT
        for buffer in buffers:
            if buffer.count:
                time = buffer.head
                if time is None:
                    time = buffer.head_time()
                if time < least:
                    oldest, least, limit = buffer, time, least - 1
                elif time < limit:
                    limit = time
            elif not buffer.at_end and self._max_idle == 0:
                return None
        return None if oldest is None else (oldest, limit)

    def head_time(self) -> int:
        """Timestamp of the oldest buffered head; NO_LIMIT if nothing is buffered."""
        return min((buffer.head_time() for buffer in self.buffers if buffer.count), default=NO_LIMIT)

    def hungry(self) -> bool:
        """Whether an empty input may have more at the broker."""
        return any(buffer.hungry for buffer in self.buffers)

    @property
    def count(self) -> int:
        return sum(buffer.count for buffer in self.buffers)


def estimated_bytes(batch: Sequence[Message]) -> int:
    """Memory of a list of records, taking the last one's value as typical: asking each costs as much as routing."""
    if not batch:
        return 0
    value = batch[-1].value()
    return len(batch) * (RECORD_OVERHEAD_BYTES + (len(value) if value else 0))
