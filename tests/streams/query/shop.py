"""Workers of one application as the query server sees them, with tasks that a test places and moves."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import msgspec

from stores import MemoryTaskState, StoreReader
from streams import App, F, Materialized, count, mean, session, tumbling
from streams.observe.reading import WorkerReading
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.query.server import QueryServer
from streams.runtime.changelog_stretch import ChangelogLag
from streams.runtime.listener import RestoreProgress
from streams.runtime.membership import MemberView
from streams.runtime.options import WorkerOptions
from streams.runtime.phase import WorkerState
from streams.runtime.standbys import StandingBy

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000


class Order(msgspec.Struct):
    user: int
    amount: float


class User(msgspec.Struct):
    name: str


def shop() -> App:
    app = App("shop")
    app.table("users", key=int, value=User, store="users")
    app.table("prices", key=str, value=int, store=Materialized("prices", history_retention=timedelta(seconds=1)))
    app.global_table("countries", key=str, value=str, store="countries")
    orders = app.stream("orders", key=str, value=Order)
    grouped = orders.group_by_key()
    grouped.windowed_by(tumbling(HOUR, grace=timedelta(0))).count(store="hourly")
    grouped.aggregate(n=count(), average=mean(F.amount), store="averages")
    grouped.windowed_by(session(timedelta(minutes=1), grace=timedelta(0))).count(store="visits")
    orders.group_by(F.user).count(store="by-user")
    return app


COUNTS = {"users": 4, "prices": 4, "orders": 4, "countries": 2}


class Worker:
    """One of the workers. `running` and `coming` are its tasks."""

    def __init__(self, group: Group, options: WorkerOptions) -> None:
        self._group = group
        self.options = options
        self.application_id = options.application_id
        self.state = WorkerState.RUNNING
        self.partitions: PartitionPlan | None = group.plan
        self.running: frozenset[TaskId] = frozenset()
        self.coming: frozenset[TaskId] = frozenset()
        self.held = True
        self.standbys: dict[TaskId, int] = {}
        """Task -> records that it lacks."""
        self.host: str | None = None
        self.progress: dict[tuple[TaskId, str], RestoreProgress] = {}
        self.positions: dict[TaskId, dict[tuple[str, int], int]] = {}
        self.server = QueryServer(self)

    @property
    def endpoint(self) -> str | None:
        return self.server.endpoint

    def tasks(self) -> tuple[frozenset[TaskId], frozenset[TaskId]]:
        return self.running, self.coming

    def readers(self) -> Mapping[tuple[str, int], StoreReader]:
        return {
            (name, task.partition): store.reader()
            for task in self.running
            for name, store in self._group.states[task].stores.items()
        }

    def standing_by(self) -> StandingBy:
        states = {task: self._group.states[task].stores for task in self.standbys}
        return StandingBy(
            frozenset(self.standbys),
            {
                (name, task.partition): store.reader()
                for task, stores in states.items()
                for name, store in stores.items()
            },
            {(task, name): ChangelogLag(0, self.standbys[task]) for task, stores in states.items() for name in stores},
        )

    def global_readers(self) -> Mapping[str, StoreReader]:
        return {name: store.reader() for name, store in self._group.everywhere.stores.items()}

    def members(self) -> tuple[MemberView, ...]:
        return self._group.members

    def place_held(self) -> bool:
        return self.held

    def position(self, task: TaskId, place: tuple[str, int]) -> int | None:
        return self.positions.get(task, {}).get(place)

    def global_position(self, place: tuple[str, int]) -> int | None:
        return 7

    def restoring(self) -> Mapping[tuple[TaskId, str], RestoreProgress]:
        return self.progress

    def reading(self) -> WorkerReading:
        return WorkerReading(
            application_id="shop", client_id="shop-1", state=self.state, tasks=self.tasks(), thread=None
        )


class Reply(NamedTuple):
    """JSON is decoded; other bodies are text."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Group:
    """The application's state, and those who serve it."""

    def __init__(self, app: App, counts: Mapping[str, int]) -> None:
        self.plan = app.plan().partitions(counts)
        self.states = {
            task: MemoryTaskState.open([store.spec for store in self.plan.plan.subtopologies[task.subtopology].stores])
            for task in self.plan.tasks
        }
        self.everywhere = MemoryTaskState.open([store.spec for store in self.plan.plan.global_stores])
        self.workers: list[Worker] = []
        self.members: tuple[MemberView, ...] = ()

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.server.stop()

    def worker(self, *tasks: TaskId, **options: Any) -> Worker:
        """One more, with these tasks, known to all; it is up."""
        worker = self.worker_unasked(*tasks, **options)
        ask(worker, "/health/live")  # a web framework is not built in two threads at a time
        return worker

    def worker_unasked(self, *tasks: TaskId, **options: Any) -> Worker:
        """The same, and it may still be coming up."""
        chosen: dict[str, Any] = {"application_id": "shop", "bootstrap_servers": "127.0.0.1:1", "state_dir": Path()}
        worker = Worker(self, WorkerOptions(**chosen | options))
        worker.running = frozenset(tasks)
        worker.server.start()
        self.workers.append(worker)
        self.tell()
        return worker

    def tell(self) -> None:
        """Everybody hears who has what."""
        self.members = tuple(
            MemberView(
                member_id=str(number),
                tasks=worker.running | worker.coming,
                standbys=frozenset(worker.standbys),
                endpoint=worker.endpoint,
                host=HERE,
            )
            for number, worker in enumerate(self.workers)
        )

    def task(self, store: str, partition: int) -> TaskId:
        return next(t for t, state in self.states.items() if store in state.stores and t.partition == partition)

    def of(self, partitions: Iterable[int]) -> list[TaskId]:
        """All tasks of these partitions."""
        wanted = set(partitions)
        return [task for task in self.plan.tasks if task.partition in wanted]

    def store(self, name: str, partition: int) -> Any:
        return self.states[self.task(name, partition)].store(name)

    def commit(self) -> None:
        for state in (*self.states.values(), self.everywhere):
            state.commit({}, {})


def host_name() -> str:
    import socket

    return socket.gethostname()


HERE = host_name()


class HasEndpoint(Protocol):
    @property
    def endpoint(self) -> str | None: ...


def ask(worker: HasEndpoint, path: str, **headers: str) -> Reply:
    """`GET path`. Header names with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://{worker.endpoint}{path}", headers=named)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            status, body, found = answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            status, body, found = error.code, error.read(), error.headers
    is_json = "application/json" in (found["content-type"] or "")
    return Reply(status, msgspec.json.decode(body) if is_json else body.decode(), found)
