"""`Materialized`: how a table or an aggregation keeps its rows, where a name alone does not say enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, eq=False)
class Materialized:
    """What `store=` takes beside a name: `app.table("rates", store=Materialized("rates", history_retention=DAY))`.

    Args:
        name: of the store; None: derived from the operator's place, as without `store=`.
        history_retention: the store is versioned. It keeps the versions of each key by their timestamps, so that
            stream-table joins find the one of the stream record's time; out-of-order records take their place among
            them, and do not count for aggregates of the table and joins with other tables. A version can be read until
            this long after its end, and a record older than the newest by more is dropped. For tables and aggregations
            without windows.

    Source: `org.apache.kafka.streams.kstream.Materialized`, with `Stores.persistentVersionedKeyValueStore` (KIP-889,
    KIP-914) for `history_retention`. Serdes are told by the operators' own `key=` and `value=`.
    """

    name: str | None = None
    history_retention: timedelta | None = field(default=None, kw_only=True)

    def problems(self) -> Iterator[str]:
        """What cannot be."""
        if self.history_retention is not None and self.history_retention < timedelta(0):
            yield f"history_retention is {self.history_retention}, it must not be negative"


StoreName = str | Materialized
"""What `store=` takes."""
