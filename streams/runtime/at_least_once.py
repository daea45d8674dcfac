"""At least once: every record is processed, some twice after a crash; state is consistent with the offsets except for
that.

1. The producer is flushed: outputs, repartition records and changelogs are acknowledged;
2. only then changed clocks and watermarks are sent to the metadata topic, and flushed too: a clock that survived
   without the rows and final results it stands for would have the repeated records dropped as late, and the results
   left out as told already;
3. the offsets are committed through the group member, which refuses if the tasks are somebody else's by now.

A crash between 1 and 3 processes records again on top of rows that hold them already, as in Kafka Streams: a count may
count them twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.runtime.broker_wait import BrokerWait
from streams.runtime.change_writer import Change, ChangeWriter, offsets_of
from streams.runtime.membership import Membership
from streams.runtime.producer import RecordProducer


class AtLeastOnce:
    """A `Guarantee`. Owned by the stream thread."""

    together = False

    def __init__(
        self, producer: RecordProducer, membership: Membership, changes: ChangeWriter, waiting: BrokerWait
    ) -> None:
        self._producer = producer
        self._membership = membership
        self._changes = changes
        self._waiting = waiting

    def acknowledge(
        self, changed: Sequence[Change], *, give_up: Callable[[], bool], meanwhile: Callable[[], bool]
    ) -> None:
        if not changed:
            return
        self._waiting.during(lambda: self._producer.flush(give_up=give_up), meanwhile)
        if self._changes.write_metadata(changed):
            self._producer.flush(give_up=give_up)
        offsets = offsets_of(changed)
        if offsets:
            self._membership.commit(offsets)
