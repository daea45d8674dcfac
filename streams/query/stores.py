"""Finds rows in the stores of a worker's running tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from stores import KeyValueReader, StoreReader, VersionedReader, VersionedSpec, WindowReader, WindowSpec
from streams.errors import QueryError
from streams.plan.plan import PartitionPlan, StorePlan, Subtopology
from streams.plan.task_id import TaskId
from streams.query.keys import jsonable, parse_key

LAST_TIME = 2**63 - 1


class StoreHolder(Protocol):
    """What queries need of a worker; all of it may be read from any thread."""

    @property
    def partitions(self) -> PartitionPlan | None: ...

    def tasks(self) -> tuple[frozenset[TaskId], frozenset[TaskId]]: ...

    def readers(self) -> Mapping[tuple[str, int], StoreReader]:
        """(store, partition) -> committed rows, of running tasks."""
        ...


class UnknownStore(QueryError):
    """The topology has no store of that name."""


class NotReady(QueryError):
    """The answer may be here later: tasks are coming, or being restored."""

    retriable = True


class StoreQueries:
    """Reads committed rows. Used by the query server's threads."""

    def __init__(self, holder: StoreHolder) -> None:
        self._holder = holder

    def describe(self) -> list[dict[str, Any]]:
        """Every store of the topology: its kind, and the partitions that are here."""
        plan = self._plan()
        readers = self._holder.readers()
        return [
            {
                "name": store.name,
                "kind": store.kind,
                "key_type": store.key_serde.name,
                "changelog": store.changelog,
                "tasks": len(plan.tasks_of(subtopology.index)),
                "partitions": sorted(partition for name, partition in readers if name == store.name),
            }
            for subtopology, store in plan.plan.stores()
        ]

    def get(self, name: str, text: str, as_of: int | None = None) -> dict[str, Any] | None:
        """The row of a key in a key-value or versioned store; None if this worker has none.

        `as_of`: in a versioned store, the version that was valid at that time in ms; default the latest one.

        Raises:
            UnknownStore, NotReady, QueryError: see there; the key cannot be read.
        """
        subtopology, store = self._find(name)
        if isinstance(store.spec, WindowSpec):
            raise QueryError(f"store {name!r} is a window store: its answer is a list of windows", store=name)
        if as_of is not None and not isinstance(store.spec, VersionedSpec):
            raise QueryError(f"store {name!r} is not versioned: leave out as_of", store=name)
        key = parse_key(text, store.key_serde)
        for reader in self._readers(subtopology, store):
            row = None
            if isinstance(reader, VersionedReader) and as_of is not None:
                row = reader.as_of(key, as_of)
            elif isinstance(reader, KeyValueReader | VersionedReader):
                row = reader.get(key)
            if row is not None:
                return {"key": text, "value": jsonable(store.present(row[0])), "timestamp": row[1]}
        self._check_complete(subtopology, name)
        return None

    def fetch(self, name: str, text: str, first: int | None, last: int | None) -> list[dict[str, Any]]:
        """The windows of a key whose start lies from `first` to `last` (ms, both inclusive), by start."""
        subtopology, store = self._find(name)
        if not isinstance(store.spec, WindowSpec):
            raise QueryError(
                f"store {name!r} is a key-value store: it has no windows, leave out from and to", store=name
            )
        key = parse_key(text, store.key_serde)
        windows: list[dict[str, Any]] = []
        for reader in self._readers(subtopology, store):
            if not isinstance(reader, WindowReader):
                continue
            with reader.fetch(key, 0 if first is None else first, LAST_TIME if last is None else last) as rows:
                windows += [
                    {
                        "key": text,
                        "start": start,
                        "end": store.end_of(start),
                        "value": jsonable(store.present(value)),
                        "timestamp": timestamp,
                    }
                    for start, (value, timestamp) in rows
                ]
        if not windows:
            self._check_complete(subtopology, name)
        return windows

    def is_window_store(self, name: str) -> bool:
        """Raises UnknownStore, NotReady."""
        return isinstance(self._find(name)[1].spec, WindowSpec)

    # -- inside -----------------------------------------------------------------------------------------------------
    def _plan(self) -> PartitionPlan:
        plan = self._holder.partitions
        if plan is None:
            raise NotReady("the worker is starting: ask again in a moment")
        return plan

    def _find(self, name: str) -> tuple[Subtopology, StorePlan]:
        known: list[str] = []
        for subtopology, store in self._plan().plan.stores():
            if store.name == name:
                return subtopology, store
            known.append(store.name)
        raise UnknownStore(f"there is no store {name!r}; the application has: {', '.join(sorted(known)) or 'none'}")

    def _readers(self, subtopology: Subtopology, store: StorePlan) -> list[StoreReader]:
        """The partitions of a store that run here. A key is in one of them; which one depends on the partitioner of
        whoever wrote the input, so each is asked (a miss costs a bloom filter)."""
        readers = [
            reader for (name, _), reader in sorted(self._holder.readers().items(), key=str) if name == store.name
        ]
        if not readers:
            self._check_complete(subtopology, store.name)
        return readers

    def _check_complete(self, subtopology: Subtopology, name: str) -> None:
        """Not finding a key means nothing while tasks that may have it are on their way here."""
        running, coming = self._holder.tasks()
        on_their_way = sorted(str(task) for task in coming if task.subtopology == subtopology.index)
        if on_their_way:
            raise NotReady(
                f"store {name!r} is being restored (tasks {', '.join(on_their_way)}): ask again later", store=name
            )
        if not running and not coming:
            raise NotReady("the worker has no tasks (yet): ask again later, or ask another worker", store=name)
