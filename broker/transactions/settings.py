"""The transaction coordinator's knobs, under Kafka's meanings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSettings:
    """All durations in milliseconds."""

    max_timeout_ms: int = 900_000
    """`transaction.max.timeout.ms`: a longer timeout is refused with INVALID_TRANSACTION_TIMEOUT."""
    id_expiration_ms: int = 7 * 24 * 3_600_000
    """`transactional.id.expiration.ms`."""
    id_expiration_check_ms: int = 3_600_000
    """`transaction.remove.expired.transaction.cleanup.interval.ms`."""
    retry_ms: int = 1_000
    """How long to wait before a decided transaction that the storage kept from completing is tried again."""
    topic_partitions: int = 1
    """`transaction.state.log.num.partitions`; Kafka has 50 to spread them over brokers, one node gains nothing."""
