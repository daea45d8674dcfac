"""What `headrace txns` finds out and does: transactional ids, open transactions, and those that hang.

A transaction hangs when it is open in a partition and its coordinator does not know: nobody will ever end it, and
read_committed consumers wait there for good. Source: KIP-664.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from streams.cli.clients import admin_at, wire_client
from streams.cli.failures import CommandFailed
from streams.cluster.clients import REQUEST_TIMEOUT_S
from streams.wire.address import Address
from streams.wire.errors import code_name
from streams.wire.requests.describe_producers import ActiveProducer, DescribeProducers
from streams.wire.requests.describe_transactions import DescribedTransaction, DescribeTransactions
from streams.wire.requests.find_coordinator import TRANSACTION
from streams.wire.requests.list_transactions import ListedTransaction, ListTransactions
from streams.wire.requests.write_txn_markers import AbortInPartition

if TYPE_CHECKING:
    from streams.discovery import BrokerLocation

STATES = ("Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "PrepareEpochFence")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """A transaction that is open in a partition; `owner`: the transactional id whose coordinator includes it there."""

    producer: ActiveProducer
    owner: str | None


class Transactions:
    """Transactions of a cluster. Every method raises CommandFailed with the broker's code if it refuses."""

    def __init__(self, location: BrokerLocation) -> None:
        self.admin = admin_at(location)
        self.client = wire_client(location)
        self.nodes = {node: Address(host, port) for node, (host, port) in self.admin.nodes().items()}

    def list(
        self, *, states: Sequence[str] = (), producer_ids: Sequence[int] = (), longer_than_ms: int = -1
    ) -> list[ListedTransaction]:
        """Of all coordinators, sorted by transactional id."""
        request = ListTransactions(states=states, producer_ids=producer_ids, longer_than_ms=longer_than_ms)
        found: list[ListedTransaction] = []
        for address in self.nodes.values():
            with closing(self.client.connect(address)) as connection:
                answer = connection.call(request, timeout_s=REQUEST_TIMEOUT_S)
            check(answer.error, "transactions")
            found += answer.transactions
        return sorted(found, key=lambda each: each.transactional_id)

    def describe(self, transactional_id: str) -> DescribedTransaction:
        with closing(self.client.connect_coordinator(transactional_id, TRANSACTION)) as connection:
            answer = connection.call(
                DescribeTransactions(transactional_id=transactional_id), timeout_s=REQUEST_TIMEOUT_S
            )
        if answer.error == ErrorCode.transactional_id_not_found:
            raise CommandFailed(
                f"there is no transactional id {transactional_id!r}; `headrace txns list` shows those there are"
            )
        check(answer.error, transactional_id)
        return answer

    def open(self, topics: Sequence[str] = ()) -> list[OpenTransaction]:
        """What is open in the partitions of the topics, or of all topics, in order of topic and partition."""
        producers = [each for each in self.producers(self.partitions(topics)) if each.started_at >= 0]
        owners: dict[int, list[tuple[str, DescribedTransaction]]] = {}
        ids = sorted({each.producer_id for each in producers})
        for listed in self.list(producer_ids=ids) if ids else []:
            owners.setdefault(listed.producer_id, []).append(
                (listed.transactional_id, self.describe(listed.transactional_id))
            )
        return [
            OpenTransaction(producer=each, owner=owner_of(each, owners.get(each.producer_id, [])))
            for each in sorted(producers, key=lambda one: (one.topic, one.partition, one.started_at))
        ]

    def partitions(self, topics: Sequence[str]) -> list[tuple[str, int]]:
        counts = self.admin.partition_counts()
        for topic in topics:
            if topic not in counts:
                raise CommandFailed(f"there is no topic {topic!r}; `headrace topics` lists those there are")
        return [(topic, partition) for topic in topics or counts for partition in range(counts[topic])]

    def producers(self, partitions: Iterable[tuple[str, int]]) -> list[ActiveProducer]:
        by_leader: dict[int, list[tuple[str, int]]] = {}
        leaders: dict[str, dict[int, int]] = {}
        for topic, partition in partitions:
            if topic not in leaders:
                leaders[topic] = self.admin.leaders(topic)
            by_leader.setdefault(leaders[topic][partition], []).append((topic, partition))
        found: list[ActiveProducer] = []
        for leader, led in by_leader.items():
            with closing(self.client.connect(self.nodes[leader])) as connection:
                answer = connection.call(DescribeProducers(partitions=led), timeout_s=REQUEST_TIMEOUT_S)
            check(answer.error, "producers")
            found += answer.producers
        return found

    def abort(self, producer: ActiveProducer) -> None:
        """Ends the producer's open transaction in its partition, past its coordinator."""
        leader = self.admin.leaders(producer.topic)[producer.partition]
        request = AbortInPartition(
            topic=producer.topic,
            partition=producer.partition,
            producer_id=producer.producer_id,
            epoch=producer.epoch,
            coordinator_epoch=max(producer.coordinator_epoch, 0),
        )
        with closing(self.client.connect(self.nodes[leader])) as connection:
            error = connection.call(request, timeout_s=REQUEST_TIMEOUT_S)
        check(error, f"{producer.topic} {producer.partition}")


def owner_of(producer: ActiveProducer, candidates: Sequence[tuple[str, DescribedTransaction]]) -> str | None:
    """The transactional id whose open transaction includes the producer's partition."""
    for transactional_id, described in candidates:
        if (producer.topic, producer.partition) in described.partitions:
            return transactional_id
    return None


def check(error: ErrorCode, what: str) -> None:
    if error != ErrorCode.none:
        raise CommandFailed(f"{what}: {code_name(error)}")
