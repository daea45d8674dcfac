"""A store of the application from within an event loop: the reads of `app.store`, of whichever worker has the rows.

The methods are those of `ReadOnlyKeyValueStore` and its like, and give what those give; they are coroutines, and scans
are asynchronous iterators. Rows are as of the last commit of their task. What this process has is read here, what
others have is asked of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from stores import Scan
from streams.errors import QueryError
from streams.plan.plan import StorePlan
from streams.query.finding import LAST_TIME, Found
from streams.query.local_store import NoMoment, read_only
from streams.query.scope import Mark, Scope
from streams.query.stored import PAGE, StoredReads
from streams.serde import Serde, serde_for
from streams.state import VersionedRecord
from streams.windowed import Windowed

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

RETRY_S = 0.05


class RoutedStore:
    """What all kinds have in common.

    Args:
        reads: what is asked. Raises QueryError while there is nobody to ask.
        patience_s: how long a read is tried again while a partition is moving, being restored or out of reach; then it
            raises the QueryError that says which, and why.
    """

    def __init__(self, plan: StorePlan, reads: Callable[[], StoredReads], patience_s: float) -> None:
        self.name = plan.name
        self._declaration = read_only(plan)
        self._key: Callable[[Any], bytes] = plan.key_serde.serialize
        self._reads = reads
        self._patience_s = patience_s

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def _one(self, scope: Scope, read: Callable[[Any], T | None]) -> T | None:
        async def ask() -> Found | None:
            reads = self._reads()
            return await reads.first(reads.find(self.name), scope)

        found = await self._patiently(ask)
        return None if found is None else read(self._typed([found]))

    async def _many(self, scope: Scope, read: Callable[[Any], Iterable[T]]) -> AsyncGenerator[T]:
        async def where() -> Sequence[int]:
            reads = self._reads()
            return reads.partitions(reads.find(self.name), scope)

        for partition in await self._patiently(where):
            after: Mark | None = None
            while True:

                async def ask(partition: int = partition, after: Mark | None = after) -> Sequence[Found]:
                    reads = self._reads()
                    return await reads.page(reads.find(self.name), partition, scope, after)

                page: Sequence[Found] = await self._patiently(ask)
                if page:
                    after = page[-1].mark
                    for item in read(self._typed(page)):
                        yield item
                if len(page) < PAGE:
                    break
            if after is not None and scope.key is not None:
                return  # a key is in one partition

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience_s
        while True:
            try:
                return await ask()
            except QueryError as error:
                if not error.retriable or loop.time() >= give_up:
                    raise
            await asyncio.sleep(RETRY_S)

    def _typed(self, rows: Sequence[Found]) -> Any:
        """The store as `app.store` shows it, with these rows."""
        return self._declaration.open(Replay(rows), NoMoment())

    def _bound(self, key: Any) -> bytes | None:
        return None if key is None else self._key(key)


class RoutedKeyValueStore(RoutedStore, Generic[K, V]):
    """See `ReadOnlyKeyValueStore`. Scans go through one partition after the other, each in key order."""

    async def get(self, key: K) -> V | None:
        """The value, None if there is none."""
        return await self._one(Scope(key=self._key(key)), lambda store: store.get(key))

    def range(self, first: K | None = None, last: K | None = None) -> AsyncGenerator[tuple[K, V]]:
        """(key, value) for first <= key <= last, both inclusive; None leaves an end open."""
        return self._many(Scope(first=self._bound(first), last=self._bound(last)), lambda store: store.all())

    def reverse_range(self, first: K | None = None, last: K | None = None) -> AsyncGenerator[tuple[K, V]]:
        """The same from `last` down to `first`."""
        scope = Scope(first=self._bound(first), last=self._bound(last), reverse=True)
        return self._many(scope, lambda store: store.all())

    def all(self) -> AsyncGenerator[tuple[K, V]]:
        """(key, value) of all keys."""
        return self.range()

    def reverse_all(self) -> AsyncGenerator[tuple[K, V]]:
        """(key, value) of all keys, the last first."""
        return self.reverse_range()

    def prefix_scan(self, prefix: Any, serde: Serde | type | None = None) -> AsyncGenerator[tuple[K, V]]:
        """(key, value) of the keys whose bytes begin with those of `prefix`, which `serde` writes; None: the serde of
        the keys."""
        write = self._key if serde is None else serde_for(serde, role="key").serialize
        return self._many(Scope(prefix=write(prefix)), lambda store: store.all())


class RoutedWindowStore(RoutedStore, Generic[K, V]):
    """See `ReadOnlyWindowStore`."""

    async def get(self, key: K, window_start: int) -> V | None:
        """The value of one window, None if there is none."""
        scope = Scope(key=self._key(key), time_from=window_start, time_to=window_start)
        return await self._one(scope, lambda store: store.get(key, window_start))

    def fetch(self, key: K, time_from: int, time_to: int) -> AsyncGenerator[tuple[int, V]]:
        """(window start, value) of a key's windows that start from `time_from` to `time_to`, the earliest first."""
        return self._of(key, time_from, time_to, reverse=False)

    def backward_fetch(self, key: K, time_from: int, time_to: int) -> AsyncGenerator[tuple[int, V]]:
        """The same, the latest first."""
        return self._of(key, time_from, time_to, reverse=True)

    def fetch_keys(
        self, first: K | None, last: K | None, time_from: int, time_to: int
    ) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(windowed key, value) for first <= key <= last, None leaving an end open: partition after partition, by
        segment of time, key, start."""
        return self._between(first, last, time_from, time_to, reverse=False)

    def backward_fetch_keys(
        self, first: K | None, last: K | None, time_from: int, time_to: int
    ) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """The same the other way round."""
        return self._between(first, last, time_from, time_to, reverse=True)

    def fetch_all(self, time_from: int, time_to: int) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(windowed key, value) of all keys, as `fetch_keys` gives them."""
        return self._between(None, None, time_from, time_to, reverse=False)

    def all(self) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(windowed key, value) of all there is, as `fetch_keys` gives them."""
        return self.fetch_all(0, LAST_TIME)

    def _of(self, key: K, time_from: int, time_to: int, *, reverse: bool) -> AsyncGenerator[tuple[int, V]]:
        scope = Scope(key=self._key(key), time_from=time_from, time_to=time_to, reverse=reverse)
        return self._many(scope, lambda store: store.fetch(key, time_from, time_to))

    def _between(
        self, first: K | None, last: K | None, time_from: int, time_to: int, *, reverse: bool
    ) -> AsyncGenerator[tuple[Windowed[K], V]]:
        scope = Scope(
            first=self._bound(first), last=self._bound(last), time_from=time_from, time_to=time_to, reverse=reverse
        )
        return self._many(scope, lambda store: store.all())


class RoutedSessionStore(RoutedStore, Generic[K, V]):
    """See `ReadOnlySessionStore`."""

    async def fetch_session(self, key: K, start: int, end: int) -> V | None:
        """The value of exactly this session, None if there is none."""
        async for session, value in self.find_sessions(key, end, start):
            if (session.start, session.end) == (start, end):
                return value
        return None

    def find_sessions(self, key: K, earliest_end: int, latest_start: int) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(session, value) of a key's sessions with end >= `earliest_end` and start <= `latest_start`, by end."""
        scope = Scope(key=self._key(key), time_from=earliest_end, time_to=latest_start)
        return self._many(scope, lambda store: store.fetch(key))

    def fetch(self, key: K) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(session, value) of all sessions of a key, by end."""
        return self._many(Scope(key=self._key(key)), lambda store: store.fetch(key))

    def backward_fetch(self, key: K) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """The same, the latest first."""
        return self._many(Scope(key=self._key(key), reverse=True), lambda store: store.fetch(key))

    def fetch_keys(self, first: K | None, last: K | None) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(session, value) of all sessions of keys from `first` to `last`: partition after partition, by segment of
        time, key, end."""
        return self._many(Scope(first=self._bound(first), last=self._bound(last)), lambda store: store.all())

    def all(self) -> AsyncGenerator[tuple[Windowed[K], V]]:
        """(session, value) of all sessions, as `fetch_keys` gives them."""
        return self.fetch_keys(None, None)


class RoutedVersionedStore(RoutedStore, Generic[K, V]):
    """See `ReadOnlyVersionedStore`."""

    async def get(self, key: K) -> VersionedRecord[V] | None:
        """The latest version, None if there is none or it is a deletion."""
        return await self._one(Scope(key=self._key(key)), lambda store: store.get(key))

    async def as_of(self, key: K, timestamp: int) -> VersionedRecord[V] | None:
        """The version valid at `timestamp`; None if there was none then, or it is older than the history."""
        scope = Scope(key=self._key(key), time_from=timestamp, time_to=timestamp)
        return await self._one(scope, lambda store: store.get(key))

    def versions(self, key: K, time_from: int, time_to: int) -> AsyncGenerator[VersionedRecord[V]]:
        """The versions valid at some time from `time_from` to `time_to`, both inclusive, the earliest first."""
        scope = Scope(key=self._key(key), time_from=time_from, time_to=time_to)
        return self._many(scope, lambda store: store.versions(key, time_from, time_to))


class Replay:
    """Rows that were found, for the typed stores to read: whatever they ask, it is these."""

    def __init__(self, rows: Sequence[Found]) -> None:
        self._rows = rows

    def get(self, *key: Any) -> Any:
        return self._rows[0].value, self._rows[0].timestamp

    def all(self) -> Scan[Any]:
        return self._scan((row.key, (row.value, row.timestamp)) for row in self._rows)

    def fetch(self, *bounds: Any) -> Scan[Any]:
        if len(bounds) > 1:  # of a window store, with times; of a session store they are of a key
            return self._scan((row.time, (row.value, row.timestamp)) for row in self._rows)
        return self._scan(((row.rank, row.time), (row.value, row.timestamp)) for row in self._rows)

    def fetch_keys(self, *bounds: Any, reverse: bool = False) -> Scan[Any]:
        if len(bounds) > 2:
            return self._scan(((row.key, row.time), (row.value, row.timestamp)) for row in self._rows)
        return self._scan(((row.key, row.rank, row.time), (row.value, row.timestamp)) for row in self._rows)

    def versions(self, *bounds: Any) -> Scan[Any]:
        return self._scan((row.value, row.timestamp, row.valid_to) for row in self._rows)

    def _scan(self, rows: Iterator[Any]) -> Scan[Any]:
        return Scan(rows)


KINDS: Mapping[str, type[RoutedStore]] = {
    "key_value": RoutedKeyValueStore,
    "custom": RoutedKeyValueStore,
    "window": RoutedWindowStore,
    "session": RoutedSessionStore,
    "versioned": RoutedVersionedStore,
}


def routed_store(plan: StorePlan, reads: Callable[[], StoredReads], patience_s: float) -> RoutedStore:
    """The store by its kind. Raises QueryError: it is of a kind that has nothing to be read."""
    read_only(plan)
    return KINDS[plan.kind](plan, reads, patience_s)
