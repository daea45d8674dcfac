"""How long a group takes to share its partitions with a second member."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

from confluent_kafka import Consumer, TopicPartition

from bench.broker.client import SILENT, config, topic

PARTITIONS = 4
SETTLE_S = 4.0
"""The second member comes somewhere within a heartbeat interval of the first."""
LIMIT_S = 60.0
PROTOCOLS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "classic range": {},
        "classic cooperative": {"partition_assignment_strategy": "cooperative-sticky"},
        "KIP-848": {"group_protocol": "consumer"},
    }
)


class Member:
    """A consumer on a thread of its own that knows what it has."""

    def __init__(self, servers: str, target: str, group: str, settings: Mapping[str, str]) -> None:
        self.owned: set[int] = set()
        self._eager = not settings
        self._left = threading.Event()
        self._consumer = Consumer(config(servers, group_id=group, enable_auto_commit=False, **settings), logger=SILENT)
        self._target = target
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        self._consumer.subscribe([self._target], on_assign=self._assigned, on_revoke=self._revoked)
        while not self._left.is_set():
            self._consumer.poll(0.02)
        self._consumer.close()

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if self._eager:
            self.owned.clear()
        self.owned |= {each.partition for each in partitions}

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.owned -= {each.partition for each in partitions}


def seconds_to_share(servers: str, settings: Mapping[str, str]) -> float:
    """From the second member's subscription until each of the two has half of the partitions."""
    with topic(servers, PARTITIONS) as target:
        group = uuid.uuid4().hex
        first = Member(servers, target, group, settings)
        second: Member | None = None
        try:
            wait_until(lambda: len(first.owned) == PARTITIONS)
            time.sleep(SETTLE_S)
            began = time.perf_counter()
            second = joined = Member(servers, target, group, settings)
            wait_until(lambda: len(first.owned) == len(joined.owned) == PARTITIONS // 2)
            return time.perf_counter() - began
        finally:
            first.close()
            if second is not None:
                second.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the group did not settle within {LIMIT_S:.0f} s")
        time.sleep(0.002)
