"""What a journal holds: records, and the markers that end the transactions some of them belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

KeyValue: TypeAlias = tuple[bytes, bytes | None]


class ProducerIdentity(NamedTuple):
    """A producer, as the coordinator numbered it: its id, and the epoch that fences its predecessors."""

    producer_id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record; a null value deletes what the key names.

    `producer_id`: of the transaction it belongs to; it counts when that one's commit marker follows. -1: it counts.
    """

    key: bytes
    value: bytes | None
    producer_id: int = -1


@dataclass(frozen=True, slots=True)
class Marker:
    """The transaction of a producer ends here, for the entries of this partition of the journal."""

    partition: int
    producer_id: int
    committed: bool
