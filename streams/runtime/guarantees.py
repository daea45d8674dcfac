"""The processing guarantee that goes with a producer."""

from __future__ import annotations

from streams.runtime.at_least_once import AtLeastOnce
from streams.runtime.broker_wait import BrokerWait
from streams.runtime.change_writer import ChangeWriter
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.commit import Committer
from streams.runtime.exactly_once import ExactlyOnce
from streams.runtime.membership import Membership
from streams.runtime.producer import RecordProducer
from streams.runtime.transactional_producer import TransactionalProducer


def committer_of(
    producer: RecordProducer,
    membership: Membership,
    positions: ChangelogPositions,
    metadata_topic: str | None,
    waiting: BrokerWait,
) -> Committer:
    """Commits in transactions if the producer has them."""
    changes = ChangeWriter(producer, positions, metadata_topic)
    if isinstance(producer, TransactionalProducer):
        return Committer(producer, ExactlyOnce(producer, membership, changes, waiting), changes)
    return Committer(producer, AtLeastOnce(producer, membership, changes, waiting), changes)
