"""Repartition topics are emptied of what was read."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.runtime.membership import CommittedOffset
from streams.runtime.purge import RepartitionPurge


class Admin:
    def __init__(self) -> None:
        self.asked: list[dict[tuple[str, int], int]] = []
        self.futures: list[Future[Any]] = []

    def delete_records(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Future[Any]]:
        self.asked.append({(each.topic, each.partition): each.offset for each in partitions})
        futures: dict[TopicPartition, Future[Any]] = {each: Future() for each in partitions}
        self.futures = list(futures.values())
        return futures


class Purging:
    def __init__(self) -> None:
        self.now = 0.0
        self.admin = Admin()
        self.purge = RepartitionPurge(self.admin, interval_s=30.0, clock=lambda: self.now)  # type: ignore[arg-type]

    def commit(self, now: float, **offsets: int) -> None:
        self.now = now
        task: Any = SimpleNamespace(
            committed_offsets={(topic, 1): CommittedOffset(offset) for topic, offset in offsets.items()},
            watermarks={"r": object()},
        )
        self.purge.after_commit([task])


@pytest.fixture
def purging() -> Purging:
    return Purging()


def test_purge_only_repartition_topics_and_only_when_due(purging: Purging) -> None:
    purging.commit(29.9, r=5, user=9)
    assert purging.admin.asked == []
    purging.commit(30.0, r=7, user=9)
    assert purging.admin.asked == [{("r", 1): 7}]


def test_purge_waits_for_its_answer_and_asks_only_for_more(purging: Purging) -> None:
    purging.commit(30.0, r=7)
    purging.commit(60.0, r=8)
    assert len(purging.admin.asked) == 1
    purging.admin.futures[0].set_result(None)
    purging.commit(90.0, r=7)
    assert len(purging.admin.asked) == 1
    purging.commit(120.0, r=9)
    assert purging.admin.asked[-1] == {("r", 1): 9}


def test_purge_refused_once_is_tried_again_unless_it_cannot_be(purging: Purging) -> None:
    purging.commit(30.0, r=7)
    purging.admin.futures[0].set_exception(KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION)))
    purging.commit(60.0, r=7)
    assert len(purging.admin.asked) == 2
    purging.admin.futures[0].set_exception(KafkaException(KafkaError(KafkaError.UNSUPPORTED_VERSION)))
    purging.commit(90.0, r=8)
    purging.commit(120.0, r=9)
    assert len(purging.admin.asked) == 2
