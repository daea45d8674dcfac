"""A transactional application that goes by its offset."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from tests.soak.broker_chores import patiently
from tests.soak.broker_topics import IN, OUT, PARTITIONS

if TYPE_CHECKING:
    from tests.soak.broker import BrokerSoak


class Worker:
    """Transactions of one transactional id, one after the other; each moves the offset of the worker's group by one."""

    def __init__(self, soak: BrokerSoak, number: int) -> None:
        self.soak = soak
        self.number = number
        self.at = TopicPartition(IN, number)
        self.random = random.Random(f"{soak.seed}-{number}")
        self.attempts = 0
        self.committed: list[list[list[str]]] = []
        """Values by partition of each transaction that was committed, in order."""
        self.consumer: Consumer
        self.producer: Producer

    def values(self) -> list[list[str]]:
        """What each partition must hold of this worker."""
        return [[value for one in self.committed for value in one[partition]] for partition in range(PARTITIONS)]

    def run(self) -> None:
        self.consumer = Consumer(self.soak.settings(group_id=f"group-{self.number}"))
        self.renew()
        while not self.soak.stop_writing.is_set():
            self.attempts += 1
            values = [
                [f"{self.number}:{self.attempts}:{index}" for index in range(self.random.randint(1, 4))]
                for _ in range(PARTITIONS)
            ]
            position = len(self.committed)
            outcome = self.attempt(values, position, commit=self.random.random() > 0.2)
            offset = self.offset()
            if outcome is None:
                # Nobody told what became of it: the offset, which is part of it, does.
                assert offset in (position, position + 1)
            else:
                assert offset == position + outcome, f"offset {offset} after {position} and outcome {outcome}"
            if offset > position:
                self.committed.append(values)
        self.consumer.close()

    def attempt(self, values: list[list[str]], position: int, *, commit: bool) -> bool | None:
        """One transaction; whether it was committed, None if that is not known."""
        producer = self.producer
        following = [TopicPartition(IN, self.number, position + 1)]
        try:
            producer.begin_transaction()
            for partition, ones in enumerate(values):
                for value in ones:
                    producer.produce(OUT, value, partition=partition)
            who = self.consumer.consumer_group_metadata()
            patiently(lambda: producer.send_offsets_to_transaction(following, who, 5))
            patiently(lambda: producer.commit_transaction(5) if commit else producer.abort_transaction(5))
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                self.renew()
                return None
            try:
                patiently(lambda: producer.abort_transaction(5))
            except KafkaException:
                self.renew()
                return None
            return False
        return commit

    def renew(self) -> None:
        """A new producer fences the one before and aborts what it left open."""
        producer = Producer(self.soak.settings(transactional_id=f"worker-{self.number}", linger_ms=0))
        patiently(lambda: producer.init_transactions(5))
        self.producer = producer

    def offset(self) -> int:
        (found,) = patiently(lambda: self.consumer.committed([self.at], timeout=5))
        return max(found.offset, 0)
