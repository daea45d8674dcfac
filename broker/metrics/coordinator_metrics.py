"""Metrics of groups and transactions."""

from __future__ import annotations

from collections import Counter

from broker.consumer_groups.state import ConsumerGroupState
from broker.groups.kind import GroupType
from broker.groups.state import GroupState
from broker.metrics.metric import BrokerMetric, Rows
from broker.metrics.reading import Reading
from broker.transactions.state import TransactionState


def in_state(state: GroupState) -> BrokerMetric:
    return BrokerMetric(
        name=f"kafka_coordinator_group_groupmetadatamanager_numgroups{state.value.lower()}",
        kind="gauge",
        unit="groups",
        help=f"Groups of the classic protocol in state {state.value}.",
        rows=lambda reading: [((), groups_in_state(reading, "classic", state.value))],
    )


def groups_in_state(reading: Reading, kind: GroupType, state: str) -> int:
    return sum(group.type == kind and group.state == state for group in reading.state.groups.list_all())


def consumer_groups(reading: Reading) -> Rows:
    return [
        ((state.value.lower(),), groups_in_state(reading, "consumer", state.value))
        for state in ConsumerGroupState
        if state is not ConsumerGroupState.DEAD
    ]


def transactions(reading: Reading) -> Rows:
    found = Counter(transaction.state for transaction in reading.state.transactions.transactions.values())
    return [((state.title,), found[state]) for state in TransactionState if state is not TransactionState.DEAD]


COORDINATOR_METRICS = (
    BrokerMetric(
        name="kafka_coordinator_group_groupmetadatamanager_numgroups",
        kind="gauge",
        unit="groups",
        help="Groups of the classic protocol, with those that only have offsets.",
        rows=lambda reading: [((), sum(group.type == "classic" for group in reading.state.groups.groups.values()))],
    ),
    BrokerMetric(
        name="kafka_group_coordinator_metrics_consumer_group_count",
        kind="gauge",
        unit="groups",
        labels=("state",),
        help="Groups of the consumer protocol (KIP-848) by state.",
        rows=consumer_groups,
    ),
    *(in_state(state) for state in GroupState if state is not GroupState.DEAD),
    BrokerMetric(
        name="kafka_coordinator_group_groupmetadatamanager_numoffsets",
        kind="gauge",
        unit="offsets",
        help="Committed offsets.",
        rows=lambda reading: [((), sum(map(len, reading.state.groups.offsets.groups.values())))],
    ),
    BrokerMetric(
        name="headrace_broker_group_members",
        kind="gauge",
        unit="members",
        labels=("group",),
        help="Members of a group.",
        rows=lambda reading: [
            ((name,), len(group.members)) for name, group in reading.state.groups.groups.items() if group.members
        ],
    ),
    BrokerMetric(
        name="headrace_broker_transactions",
        kind="gauge",
        unit="transactional ids",
        labels=("state",),
        help="Transactional ids by state; those in Ongoing have a transaction open.",
        rows=transactions,
    ),
)
