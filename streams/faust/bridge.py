"""`mount`: a headrace application as a service of a Faust worker.

    Faust worker's loop                        thread headrace-<application id>
    agents, web views ── bridge.store(…) ──▶   worker: topics ──▶ tasks ──▶ stores, topics
                             │ not here
                             └──────────────▶  the worker that has the partition, over HTTP

Both have consumer groups of their own, so a worker's agents and its stores do not own the same partitions: a read goes
where the row is.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import faust
from mode import Service

from streams.app import App
from streams.errors import ApplicationShutdownError, QueryError
from streams.faust.derived import worker_options
from streams.faust.views import add_views
from streams.query.access import client_tls
from streams.query.local_store import find_store
from streams.query.peers import Peers
from streams.query.placement import Placement
from streams.query.queries import Queries
from streams.query.routed_store import routed_store
from streams.query.stored import StoredReads
from streams.runtime.embedded import EmbeddedWorker
from streams.runtime.worker import Worker

PATIENCE = timedelta(seconds=30)
"""An agent that gives up loses its event."""
LOOK_S = 0.1
"""How often it is asked whether the worker still runs."""


def mount(
    faust_app: faust.App,
    app: App | None = None,
    *,
    views: str | None = None,
    **options: Any,
) -> Bridge:
    """Runs a headrace application in every worker of a Faust app.

    It starts before Faust's agents, tables and web server, which begin when its tasks are assigned and restored, and
    stops after them, with a commit. It has a thread of its own, so Faust's event loop does not wait for it. If one of
    both fails the other ends too. `faust` commands other than `worker` do not start it.

    Args:
        app: the application; default a new one, `bridge.app`, named after the Faust app with `-stores` at the end. Its
            application id has to differ from Faust's, because it is a consumer group of its own.
        views: where web views of all stores are, such as "/stores": `/stores/NAME/` is a page of rows and
            `/stores/NAME/KEY/` a row, as JSON and with the parameters of the query server. They are as open as Faust's
            web server is: `query_token` is not asked for there. None: nowhere.
        options: what `App.worker` takes, such as `state_dir`, `query_host` or `processing_guarantee`. Where neither
            they nor the application's settings say so, the broker, its user and password and the state directory
            (`headrace` in Faust's data directory) are Faust's.

    Raises:
        ConfigError: when the worker starts, where Faust's settings cannot be taken over.
    """
    if app is None:
        app = App(f"{faust_app.conf.id}-stores")
    bridge = Bridge(faust_app, app, options)
    # A dependency that is there before the start comes before those the Faust app makes itself. One that is declared by
    # @app.service would start when tables are recovered, beside agents that want it.
    faust_app.add_dependency(bridge)
    if views is not None:
        add_views(faust_app, bridge, views)
    return bridge


class Bridge(Service):
    """A mounted application. `mount` makes it; its methods belong to Faust's event loop."""

    def __init__(self, faust_app: faust.App, app: App, options: dict[str, Any]) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] (mode leaves its beacon's type open)
        self.faust_app = faust_app
        self.app = app
        self._options = options
        self._embedded: EmbeddedWorker | None = None
        self._peers: Peers | None = None
        self._reads: StoredReads | None = None
        self._queries: Queries | None = None

    @property
    def label(self) -> str:
        """What Faust's logs call it."""
        return f"headrace: {self.app.settings.application_id}"

    @property
    def worker(self) -> Worker | None:
        """The worker in this process, None before the start."""
        return None if self._embedded is None else self._embedded.worker

    def store(self, name: str, *, patience: timedelta = PATIENCE) -> Any:
        """A store of the application, whichever worker has its rows: a `RoutedKeyValueStore`, `RoutedWindowStore`,
        `RoutedSessionStore` or `RoutedVersionedStore`, by its kind:
        `await store.get(key)`, `async for … in store.all()`.

        It has the reads of `app.store(name)`, which is what there is of the store in this process, without waiting.

        Args:
            patience: how long a read waits for a partition that is moving, being restored or out of reach. Then, and at
                once where waiting cannot help, it raises QueryError, which says what is in the way.

        Raises:
            QueryError: the topology has no such store, or it is of a kind that cannot be asked.
            TopologyError: the topology is wrong.
        """
        return routed_store(find_store(self.app.plan(), name), self.reads, patience.total_seconds())

    def reads(self) -> StoredReads:
        """Raises QueryError outside of the worker's life."""
        if self._reads is None:
            raise self._not_running()
        return self._reads

    def queries(self) -> Queries:
        """Raises QueryError outside of the worker's life."""
        if self._queries is None:
            raise self._not_running()
        return self._queries

    # -- life, as mode calls it ----------------------------------------------------------------------------------------
    async def on_start(self) -> None:
        """Returns when the stores are ready. Raises what kept the worker from starting, which ends Faust's."""
        if self.faust_app.client_only or self.faust_app.producer_only:
            return
        options = worker_options(self.faust_app, self.app, self._options)
        worker = await asyncio.to_thread(self.app.worker, **options)
        placement = Placement(worker)
        self._peers = Peers(worker.application_id, client_tls(worker.options), worker.options.query_token)
        self._reads, self._queries = StoredReads(placement, self._peers), Queries(worker, placement, self._peers)
        embedded = EmbeddedWorker(worker)
        starting = asyncio.ensure_future(embedded.start())
        self._embedded = embedded
        try:
            await starting
        except Exception as error:  # of whatever kind: Faust stops what failed to start, which would raise it again
            self._embedded = None  # there is nothing left to stop
            self.log.error("%s cannot start, so the Faust worker ends: %s", self.label, error)
            raise

    async def on_stop(self) -> None:
        """Commits and leaves the group; rows cannot be read any more."""
        embedded, self._embedded = self._embedded, None
        self._reads = self._queries = None
        if self._peers is not None:
            await self._peers.close()
        if embedded is not None and not (embedded.ended and self.crashed):
            await embedded.stop()

    @Service.task
    async def _watch(self) -> None:
        embedded = self._embedded
        while embedded is not None and not self.should_stop:
            if embedded.ended:
                await self.crash(await self._reason(embedded))
                return
            await self.sleep(LOOK_S)

    async def _reason(self, embedded: EmbeddedWorker) -> BaseException:
        try:
            await embedded.wait()
        except BaseException as error:
            self.log.error("%s failed, so the Faust worker ends: %s", self.label, error)
            return error
        return ApplicationShutdownError(f"{self.label} was stopped by itself, so the Faust worker ends")

    def _not_running(self) -> QueryError:
        return QueryError(
            f"the application {self.app.settings.application_id!r} does not run in this process: its stores can be "
            "read while the Faust worker it is mounted in runs (faust -A … worker)"
        )
