"""What a reader of committed records sees of the outputs, and when, whatever happens meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

POLL_S = 0.05
TIMEOUT_S = 10.0
QUIET_S = 60.0
"""Nothing more comes when nothing came for so long."""
LOOK_S = 1.0


class OutputReader:
    """A thread that reads topics from their beginning. `close` ends it and raises what it failed with."""

    def __init__(
        self,
        servers: str,
        topics: Sequence[str],
        partitions: int,
        take: Callable[[list[Message]], None] = lambda messages: None,
    ) -> None:
        """`take` gets all messages, those of a partition in order, in the thread."""
        self.longest_s = 0.0
        """The longest time between two records, of whatever topics."""
        self.newest = time.monotonic()
        """When the last record came."""
        self._take = take
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": "soak-output",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.queue.backoff.ms": 10,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        self._admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        self._read_to: dict[tuple[str, int], int] = {}
        self._places = [TopicPartition(topic, p, 0) for topic in topics for p in range(partitions)]
        self._consumer.assign(self._places)
        self._done = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="output-reader", daemon=True)
        self._thread.start()

    def finished(self, exact: Callable[[], bool]) -> bool:
        """Whether all is as it should be, or nothing comes any more. To be asked again and again: it takes a second."""
        time.sleep(LOOK_S)  # how often to look
        quiet_s = time.monotonic() - self.newest
        if quiet_s < LOOK_S or not self.at_end():
            return False
        return quiet_s > QUIET_S or exact()

    def at_end(self) -> bool:
        """Whether it has read all that is there now, transaction markers and all."""
        if self._error is not None:
            raise AssertionError("the reader of the outputs failed") from self._error
        asked = self._admin.list_offsets({place: OffsetSpec.latest() for place in self._places})
        ends = {(place.topic, place.partition): answer.result(TIMEOUT_S).offset for place, answer in asked.items()}
        return all(self._read_to.get(place, 0) >= end for place, end in ends.items())

    def close(self) -> None:
        self._done.set()
        self._thread.join()
        self._consumer.close()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            began = False
            while not self._done.is_set():
                messages = self._consumer.consume(5_000, POLL_S)
                records = [message for message in messages if message.error() is None]
                if records:
                    now = time.monotonic()
                    if began:
                        self.longest_s = max(self.longest_s, now - self.newest)
                    began, self.newest = True, now
                    self._take(records)
                for message in messages:
                    self._note(message)
        except BaseException as error:
            self._error = error

    def _note(self, message: Any) -> None:
        """An event that is no record says at which offset a partition ends, or that the broker is away."""
        place, offset = (message.topic(), message.partition()), message.offset()
        if message.error() is None:
            self._read_to[place] = offset + 1
        elif place[0] is not None and offset is not None and offset >= 0:
            self._read_to[place] = max(offset, self._read_to.get(place, 0))
