"""Who can answer for a partition of a store."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from stores import StoreReader
from streams.plan.task_id import TaskId
from streams.query.catalog import Catalog, Entry
from streams.query.problem import Moving, NotReady
from streams.query.subject import Subject
from streams.runtime.membership import MemberView
from streams.runtime.phase import WorkerState

LOOPBACK = ("127.", "localhost:", "[::1]:")


class Placement:
    """Looks at the worker it is in, and at what that one knows of its group. Owned by the query server's loop."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._catalog: Catalog | None = None
        self._members: tuple[MemberView, ...] = ()
        self._views: Mapping[TaskId, MemberView] = {}
        self._host = socket.gethostname()

    def catalog(self) -> Catalog:
        """Raises NotReady before the worker knows its topics."""
        plan = self._subject.partitions
        if plan is None:
            raise NotReady("starting", "the worker is starting: ask again in a moment")
        if self._catalog is None or self._catalog.plan is not plan:
            self._catalog = Catalog(plan)
        return self._catalog

    def here(self, entry: Entry, partition: int) -> StoreReader | None:
        """The committed rows, if the partition's task runs in this worker; of a global store its copy of all rows.

        Raises NotReady: it runs here, but may run elsewhere by now too; or it is being restored here; or the copy of
        a global store is not loaded yet.
        """
        subject, name = self._subject, entry.name
        if entry.subtopology is None:
            reader = subject.global_readers().get(name)
            if reader is None:
                raise NotReady("restoring", f"global store {name!r} is being loaded: ask again later", store=name)
            return reader
        reader = subject.readers().get((name, partition))
        if reader is None:
            if entry.task(partition) in subject.tasks()[1]:
                raise self._restoring(entry, partition)
            return None
        if not subject.place_held():
            raise NotReady(
                "unsure",
                f"the worker has not heard of its group for a session timeout, so partition {partition} of store "
                f"{name!r} may be another's by now: ask again, or ask another worker",
                store=name,
            )
        return reader

    def here_or_standing_by(self, entry: Entry, partition: int, max_lag: int) -> StoreReader | None:
        """The same, or what a standby in this worker has read of the partition's changelog, if no more than `max_lag`
        records are missing as far as is known. Not while the worker may be cut off: then its lag would be an old one.
        """
        try:
            reader = self.here(entry, partition)
        except NotReady:
            reader = None
        if reader is not None or entry.subtopology is None or not self._subject.place_held():
            return reader
        return self._subject.standing_by().reader(entry.task(partition), entry.name, max_lag)

    def standing_by_elsewhere(self, entry: Entry, partition: int) -> list[str]:
        """`host:port` of the other workers where the partition's task stands by."""
        task, mine = entry.task(partition), self._subject.endpoint
        views = [view for view in self._subject.members() if task in view.standbys and view.endpoint != mine]
        return [view.endpoint for view in views if view.endpoint is not None and self.is_reachable(view)]

    def elsewhere(self, entry: Entry, partition: int) -> str:
        """`host:port` of the worker that has the partition.

        Raises:
            Moving: none has it, or the one that has it is this one, which does not run it (yet, or any more).
            NotReady: that worker cannot be reached.
        """
        members = self._subject.members()
        if not members and self._subject.state is WorkerState.RUNNING:
            raise NotReady(
                "unreachable",
                f"partition {partition} of store {entry.name!r} is with another worker, and the group is too large for "
                "its workers to know of each other: ask the one that has it",
                store=entry.name,
            )
        if not members:
            raise NotReady("starting", "the worker is not a member of its group yet: ask again", store=entry.name)
        if members is not self._members:
            self._views = {task: view for view in members for task in view.tasks}
            self._members = members
        view = self._views.get(entry.task(partition))
        mine = self._subject.endpoint
        if view is None or view.endpoint == mine:
            raise Moving(
                f"partition {partition} of store {entry.name!r} is moving from one worker to another: ask again",
                store=entry.name,
            )
        if view.endpoint is None or not self.is_reachable(view):
            why = "serves no queries" if view.endpoint is None else "serves queries on its own loopback only"
            raise NotReady(
                "unreachable",
                f"partition {partition} of store {entry.name!r} is with a worker on {view.host}, which {why}: "
                "give it a query_host that others can reach",
                store=entry.name,
            )
        return view.endpoint

    def is_reachable(self, view: MemberView) -> bool:
        """Whether the worker's endpoint means the same here as there."""
        return view.endpoint is not None and (not view.endpoint.startswith(LOOPBACK) or view.host == self._host)

    def owner(self, entry: Entry, partition: int) -> str | None:
        """Who answers for the partition at the moment, None if nobody does."""
        try:
            return self._subject.endpoint if self.here(entry, partition) else self.elsewhere(entry, partition)
        except (Moving, NotReady):
            return None

    def describe(self) -> list[dict[str, Any]]:
        """Every store: its kind, its types, and who has its partitions."""
        readers, standbys = self._subject.readers(), self._subject.standing_by()
        return [
            {
                "name": name,
                "kind": entry.plan.kind,
                "key_type": entry.plan.key_serde.name,
                "changelog": entry.plan.changelog,
                "global": entry.subtopology is None,
                "topics": sorted(entry.topics),
                "partitions": sorted(partition for store, partition in readers if store == name),
                "standbys": {
                    str(task.partition): lag.records
                    for (task, store), lag in sorted(standbys.lags.items())
                    if store == name
                },
                "owners": {str(number): self.owner(entry, number) for number in range(entry.partitions)},
            }
            for name, entry in self.catalog().entries.items()
        ]

    def _restoring(self, entry: Entry, partition: int) -> NotReady:
        name, task = entry.name, entry.task(partition)
        told = self._subject.restoring().get((task, name))
        if told is None or told.done:
            return NotReady("restoring", f"store {name!r} is being opened here (task {task}): ask again", store=name)
        eta = None if told.eta_s is None else round(told.eta_s, 1)
        progress: dict[str, Any] = {
            "task": str(task),
            "position": told.position,
            "end": told.end_offset,
            "remaining": told.remaining,
            "eta_s": eta,
        }
        about = "" if eta is None else f", about {eta:g} s"
        return NotReady(
            "restoring",
            f"store {name!r} is being restored here (task {task}): {told.remaining:,} records to read{about}; "
            "ask again later",
            store=name,
            details={"progress": progress},
            retry_after_s=max(1, min(30, round(told.eta_s or 1))),
        )
