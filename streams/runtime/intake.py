"""How records come in: from the consumer into the buffers of their partitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from confluent_kafka import Message as KafkaMessage

from streams.inflight import CallLoop
from streams.observe import ThreadMeters
from streams.runtime.consumer import RecordConsumer
from streams.runtime.options import WorkerOptions
from streams.runtime.router import Router

LEAST_STALL_MS = 1_000
ANSWER_WAIT_S = 0.005
AHEAD_WAIT_S = 0.001


class Intake:
    """Owned by the stream thread. `calls` is what runs asynchronous functions, if there are any."""

    def __init__(
        self,
        options: WorkerOptions,
        *,
        consumer: RecordConsumer,
        router: Router,
        meters: ThreadMeters,
        calls: CallLoop | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._consumer = consumer
        self._router = router
        self._meters = meters
        self._calls = calls
        self._clock = clock
        self._stall_ms = max(options.watermark_idle_timeout_ms // 2, LEAST_STALL_MS)
        self._events: list[KafkaMessage] = []

    def resume(self) -> None:
        """Has partitions read again whose buffers have room."""
        self._consumer.resume(self._router.to_resume())

    def read(self, wait_s: float, *, calling: bool) -> None:
        """Takes in what there is, waiting up to `wait_s` for something; `calling`: or for the answer to a call.

        Raises:
            StreamsError: a partition cannot be read.
        """
        calls = self._calls
        if wait_s > 0 and calls is not None and calling:
            self._take_in(lambda: self._records_or_answers(calls), wait_s)
        else:
            self._take_in(lambda: self._consumer.fetch(self._options.poll_records, wait_s), wait_s)
        self._look_at_events()

    def read_ahead(self) -> bool:
        """Takes in what there is while a commit waits for the broker; `read` says later what is wrong with a partition.
        False if enough is here: a partition that holds too much is paused, and pausing throws away what the client
        has fetched."""
        if sum(buffer.count for buffer in self._router.buffers.values()) >= self._options.buffered_records // 2:
            return False
        self._take_in(lambda: self._consumer.fetch(self._options.poll_records, AHEAD_WAIT_S), AHEAD_WAIT_S)
        return True

    def _take_in(self, fetch: Callable[[], Sequence[KafkaMessage]], wait_s: float) -> None:
        began = self._clock()
        messages = fetch()
        ended = self._clock()
        self._meters.poll.record(1, ended - began, ended)
        self._meters.poll_records.record(1, len(messages), ended)
        now = int(ended * 1000)
        self._router.polled(int(wait_s * 1000), now, stall_ms=self._stall_ms)
        if messages:
            self._events += self._router.route(messages, now)
            self._consumer.pause(self._router.to_pause())

    def _records_or_answers(self, calls: CallLoop) -> Sequence[KafkaMessage]:
        """Records if there are any; else waits for the answer to a call, and only for a moment, since records do not
        end that wait."""
        messages = self._consumer.fetch(self._options.poll_records, 0.0)
        if not messages:
            calls.wait(ANSWER_WAIT_S)
        return messages

    def _look_at_events(self) -> None:
        events, self._events = self._events, []
        for event in events:
            self._consumer.check(event)
