"""`Materialized`: how a table or an aggregation keeps its rows, where a name alone does not say enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from stores import CustomKeyValueStore

CustomFactory = Callable[[], CustomKeyValueStore]


@dataclass(frozen=True, slots=True, eq=False)
class Materialized:
    """What `store=` takes beside a name: `count(store=Materialized("visits", persistent=False, caching=True))`.

    Args:
        name: of the store; None: derived from the operator's place, as without `store=`.
        persistent: rows live in RocksDB (True), or in memory only, from where a restart restores them out of the
            changelog. None: RocksDB, but memory for a store with `max_entries`.
        logged: changes go to a changelog topic. Without it rows that are lost with their disk stay lost.
        changelog: settings of the changelog topic, such as `{"segment.bytes": "1000000"}`; they count when the topic
            is made.
        caching: True: only each key's last change is forwarded, at the commit. False: all changes, as they come.
            None: as `App(emit_updates=)` says.
        retention: how long windows are kept after their start, sessions after their end; see `WindowedStream`.
        ttl: a row of a key-value store expires when the task's stream time has reached its timestamp + `ttl`. From
            then on nobody finds it. It is forgotten, not deleted: nothing is forwarded, but the changelog gets a
            tombstone some commits later. A row that is put when it has expired already is forwarded and not kept.
        max_entries: the store holds so many rows at most, in memory; beyond them the least recently used one goes,
            which nobody downstream hears of.
        history_retention: the store is versioned. It keeps the versions of each key by their timestamps, so that
            stream-table joins find the one of the stream record's time; out-of-order records take their place among
            them, and do not count for aggregates of the table and joins with other tables. A version can be read until
            this long after its end, and a record older than the newest by more is dropped. For tables and aggregations
            without windows.
        custom: makes the store, one for each task: an implementation of `CustomKeyValueStore` of your own.

    `ttl`, `max_entries` and `custom` are for key-value stores, that is for tables and aggregations without windows.

    Source: `org.apache.kafka.streams.kstream.Materialized`; `ttl` is an addition, `max_entries` is `Stores.lruMap`,
    `history_retention` `Stores.persistentVersionedKeyValueStore` (KIP-889, KIP-914),
    and serdes are told by the operators' own `key=` and `value=`.
    """

    name: str | None = None
    persistent: bool | None = field(default=None, kw_only=True)
    logged: bool = field(default=True, kw_only=True)
    changelog: Mapping[str, str] = field(default_factory=dict[str, str], kw_only=True)
    caching: bool | None = field(default=None, kw_only=True)
    retention: timedelta | None = field(default=None, kw_only=True)
    ttl: timedelta | None = field(default=None, kw_only=True)
    max_entries: int | None = field(default=None, kw_only=True)
    history_retention: timedelta | None = field(default=None, kw_only=True)
    custom: CustomFactory | None = field(default=None, kw_only=True)

    def problems(self) -> Iterator[str]:
        """What contradicts itself."""
        yield from changelog_problems(self.changelog, logged=self.logged)
        chosen = [
            name for name in ("ttl", "max_entries", "custom", "history_retention") if getattr(self, name) is not None
        ]
        if len(chosen) > 1:
            yield f"a store has one of ttl, max_entries, custom and history_retention, not {' and '.join(chosen)}"
        if self.history_retention is not None and self.history_retention < timedelta(0):
            yield f"history_retention is {self.history_retention}, it must not be negative"
        if self.max_entries is not None and self.persistent:
            yield "a store with max_entries is in memory: leave out persistent=True"
        if self.max_entries is not None and self.max_entries < 1:
            yield f"max_entries is {self.max_entries}, it must be at least 1"
        if self.ttl is not None and self.ttl < timedelta(milliseconds=1):
            yield f"ttl is {self.ttl}, it must be at least a millisecond"


StoreName = str | Materialized
"""What `store=` takes."""


def changelog_problems(changelog: Mapping[str, str], *, logged: bool) -> Iterator[str]:
    """What is wrong with settings of a changelog topic."""
    if changelog and not logged:
        yield "a store that is not logged has no changelog topic: leave out changelog=, or logged=False"
    for name, value in changelog.items():
        if type(value) is not str:
            yield f"setting {name!r} of the changelog is {value!r}: settings of topics are strings"
    policy = changelog.get("cleanup.policy", "compact")
    if "compact" not in policy.split(","):
        yield (
            f"cleanup.policy={policy!r} would delete rows out of the changelog that the store still has, so that a "
            'restored store would lack them: use "compact" (the default) or "compact,delete"'
        )
