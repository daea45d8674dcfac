"""Metrics of groups and transactions."""

from __future__ import annotations

from collections import Counter

from broker.groups.state import GroupState
from broker.metrics.metric import BrokerMetric, Rows
from broker.metrics.reading import Reading
from broker.transactions.state import TransactionState


def in_state(state: GroupState) -> BrokerMetric:
    return BrokerMetric(
        name=f"kafka_coordinator_group_groupmetadatamanager_numgroups{state.value.lower()}",
        kind="gauge",
        unit="groups",
        help=f"Groups in state {state.value}.",
        rows=lambda reading: [((), sum(group.state is state for group in reading.state.groups.groups.values()))],
    )


def transactions(reading: Reading) -> Rows:
    found = Counter(transaction.state for transaction in reading.state.transactions.transactions.values())
    return [((state.title,), found[state]) for state in TransactionState if state is not TransactionState.DEAD]


COORDINATOR_METRICS = (
    BrokerMetric(
        name="kafka_coordinator_group_groupmetadatamanager_numgroups",
        kind="gauge",
        unit="groups",
        help="Groups of the classic protocol, with those that only have offsets.",
        rows=lambda reading: [((), len(reading.state.groups.groups))],
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
