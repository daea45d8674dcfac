"""Exactly once: outputs, changelogs and offsets become visible together, or not at all.

All tasks of the stream thread share one transaction, which is open from one commit to the next:

1. changed clocks and watermarks go to the metadata topic, as dirty rows have gone to the changelogs;
2. the offsets of every task are sent to the transaction, with the member's generation: a member the group has given up
   on is refused;
3. the transaction is committed: from here on readers see all of it.

A crash before 3 leaves nothing: the transaction is aborted by the successor's start, or by its timeout, and the local
state knows nothing of it. A crash after it leaves a local state that lags its changelog, and restore brings it up. When
the broker says that the transaction has to be aborted, so does `TransactionAbortedError`, and the tasks are opened anew
from what they last committed.
Source: KIP-98, KIP-129, KIP-447; `TaskExecutor` of Kafka Streams with `exactly_once_v2`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.runtime.broker_wait import BrokerWait
from streams.runtime.change_writer import Change, ChangeWriter, offsets_of
from streams.runtime.membership import Membership
from streams.runtime.transactional_producer import TransactionalProducer


class ExactlyOnce:
    """A `Guarantee`. Owned by the stream thread."""

    together = True

    def __init__(
        self, producer: TransactionalProducer, membership: Membership, changes: ChangeWriter, waiting: BrokerWait
    ) -> None:
        self._producer = producer
        self._membership = membership
        self._changes = changes
        self._waiting = waiting

    def acknowledge(
        self, changed: Sequence[Change], *, give_up: Callable[[], bool], meanwhile: Callable[[], bool]
    ) -> None:
        self._changes.write_metadata(changed)
        if changed or self._producer.pending:
            offsets, group = offsets_of(changed), self._membership.group_metadata()
            self._waiting.during(lambda: self._producer.commit(offsets, group, give_up=give_up), meanwhile)
