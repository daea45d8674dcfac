"""Opens the transaction coordinator of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.journal.topic_log import InternalTopicLog
from broker.topics.names import TRANSACTIONS_TOPIC
from broker.transactions.coordinator import TransactionCoordinator
from broker.transactions.participants import BrokerPartitions
from broker.transactions.settings import TransactionSettings

if TYPE_CHECKING:
    from broker.state import BrokerState

TRANSACTIONS_CONFIGS = {"cleanup.policy": "compact", "segment.bytes": "4194304", "max.message.bytes": "104857600"}


def open_transactions(broker: BrokerState) -> TransactionCoordinator:
    """The coordinator over the broker's clock, options and log; not started yet."""
    options = broker.options
    settings = TransactionSettings(
        max_timeout_ms=options.transaction_max_timeout_ms, id_expiration_ms=options.transactional_id_expiration_ms
    )
    return TransactionCoordinator(
        settings=settings,
        log=InternalTopicLog(broker, TRANSACTIONS_TOPIC, TRANSACTIONS_CONFIGS, partitions=settings.topic_partitions),
        participants=BrokerPartitions(broker),
        clock=broker.clock,
        new_producer_id=broker.producer_ids.take,
    )
