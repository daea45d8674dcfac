"""`app.store(name)`: what the workers of this process have committed to a store, for any thread.

A read asks each partition of the store that runs here at the moment, so it goes on working while tasks come and go. It
sees rows as of each task's last commit. Source: Kafka Streams' interactive queries, `KafkaStreams.store` and the
`CompositeReadOnly…Store` classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from stores import BufferSpec, Scan, StoreClosedError, StoreReader
from streams.errors import QueryError
from streams.plan.plan import Plan, StorePlan
from streams.runtime.worker import Worker
from streams.state import ReadOnlyKeyValueStore, StoreDeclaration, global_store, table_store

FindReaders = Callable[[], Sequence[StoreReader]]
"""The committed rows of the partitions that are here now. Raises QueryError if there are none, and tells why."""


def local_store(plan: StorePlan, find_readers: FindReaders) -> Any:
    """The store as users read it: `ReadOnlyKeyValueStore`, `ReadOnlyWindowStore` and so on, by its kind.

    Raises QueryError: it is of a kind that has nothing to be read.
    """
    return read_only(plan).open(Partitions(plan.name, find_readers), NoMoment())


def readers_of(workers: Sequence[Worker], store: StorePlan, max_lag: int | None) -> list[StoreReader]:
    """The partitions of a store that are in these workers: of tasks that run, and, with `max_lag`, of those that stand
    by and lack no more records. Raises QueryError: there are none."""
    found: dict[int, StoreReader] = {}
    certain = [worker for worker in workers if store.everywhere or worker.place_held()]
    for worker in certain:  # of others, tasks may be somebody else's by now, and their rows newer
        if store.everywhere and store.name in worker.global_readers():
            return [worker.global_readers()[store.name]]
        if max_lag is None:
            continue
        standbys = worker.standing_by()
        for task, name in standbys.lags:
            if name == store.name and (reader := standbys.reader(task, name, max_lag)) is not None:
                found[task.partition] = reader
    for worker in certain:
        found |= {partition: reader for (name, partition), reader in worker.readers().items() if name == store.name}
    if not found:
        raise QueryError(
            f"no task of store {store.name!r} runs in this process at the moment: start a worker (app.start(), "
            "app.lifespan, app.worker().run() in a thread), or ask again when its tasks are restored",
            store=store.name,
            retriable=True,
        )
    return [found[partition] for partition in sorted(found)]


def find_store(plan: Plan, name: str) -> StorePlan:
    """The store of that name. Raises QueryError naming the stores there are."""
    known = {store.name: store for _, store in plan.stores()} | {store.name: store for store in plan.global_stores}
    if name not in known:
        raise QueryError(
            f"there is no store {name!r}; the topology has: {', '.join(sorted(known)) or 'none'}", store=name
        )
    return known[name]


def read_only(plan: StorePlan) -> StoreDeclaration[Any]:
    """How the store is shown, with nothing that writes."""
    spec = plan.spec
    if isinstance(spec, BufferSpec):
        raise QueryError(
            f"store {plan.name!r} holds records that wait for their time: it cannot be asked", store=plan.name
        )
    if spec.kind == "custom":  # what it holds beside its rows belongs to its task's thread
        return StoreDeclaration(spec, plan.key_serde, plan.key_serde, ReadOnlyKeyValueStore[bytes, bytes])
    if plan.declared and spec.kind != "versioned":
        assert plan.declaration is not None
        return global_store(plan.declaration)
    return table_store(spec, plan.key_serde, plan.key_serde, plan.present, window_end=plan.window_end)


class NoMoment:
    """Nothing is being processed."""

    timestamp = -1


class Partitions:
    """The readers of a store's partitions as one: a key is in one of them, a scan goes through one after the other."""

    def __init__(self, name: str, find_readers: FindReaders) -> None:
        self._name = name
        self._find = find_readers

    def get(self, *key: Any) -> Any:
        return self._first("get", key)

    def as_of(self, *key: Any) -> Any:
        return self._first("as_of", key)

    def range(self, *bounds: Any, reverse: bool = False) -> Scan[Any]:
        return self._scan("range", bounds, reverse)

    def prefix(self, prefix: bytes) -> Scan[Any]:
        return self._scan("prefix", (prefix,), False)

    def all(self, *, reverse: bool = False) -> Scan[Any]:
        return self._scan("all", (), reverse)

    def fetch(self, *bounds: Any, reverse: bool = False) -> Scan[Any]:
        return self._scan("fetch", bounds, reverse)

    def fetch_keys(self, *bounds: Any, reverse: bool = False) -> Scan[Any]:
        return self._scan("fetch_keys", bounds, reverse)

    def find(self, *bounds: Any, reverse: bool = False) -> Scan[Any]:
        return self._scan("find", bounds, reverse)

    def find_keys(self, *bounds: Any, reverse: bool = False) -> Scan[Any]:
        return self._scan("find_keys", bounds, reverse)

    def versions(self, *bounds: Any) -> Scan[Any]:
        return self._scan("versions", bounds, False)

    def approximate_entries(self) -> int:
        readers: Sequence[Any] = self._find()
        return sum(reader.approximate_entries() for reader in readers)

    def _first(self, method: str, key: tuple[Any, ...]) -> Any:
        try:
            found = (getattr(reader, method)(*key) for reader in self._find())
            return next((row for row in found if row is not None), None)
        except StoreClosedError as error:
            raise self._moved() from error

    def _scan(self, method: str, bounds: tuple[Any, ...], reverse: bool) -> Scan[Any]:
        scans: list[Scan[Any]] = []
        try:
            for reader in self._find():
                ask = getattr(reader, method)
                scans.append(ask(*bounds, reverse=True) if reverse else ask(*bounds))
        except StoreClosedError as error:
            for scan in scans:
                scan.close()
            raise self._moved() from error

        def close() -> None:
            for scan in scans:
                scan.close()

        return Scan(self._rows(scans), close)

    def _rows(self, scans: Sequence[Scan[Any]]) -> Iterator[Any]:
        try:
            for scan in scans:
                yield from scan
        except StoreClosedError as error:
            raise self._moved() from error

    def _moved(self) -> QueryError:
        return QueryError(
            f"a partition of store {self._name!r} was given to another worker meanwhile: ask again",
            store=self._name,
            retriable=True,
        )
