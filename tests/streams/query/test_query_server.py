"""The HTTP server of a worker, asked as anybody would ask it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from stores import KeyValueReader, MemoryTaskState, WindowReader
from streams import App, F, Materialized, count, mean, tumbling
from streams.errors import ConfigError
from streams.observe.reading import WorkerReading
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.query.server import QueryServer
from streams.runtime.phase import WorkerState

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
    (
        app.stream("orders", key=str, value=Order)
        .group_by_key()
        .windowed_by(tumbling(timedelta(hours=1), grace=timedelta(0)))
        .aggregate(n=count(), average=mean(F.amount), store="hourly")
    )
    return app


class Shop:
    """A worker whose tasks a test sets."""

    application_id = "shop"

    def __init__(self) -> None:
        plan = shop().plan()
        self.plan: PartitionPlan = plan.partitions({"users": 2, "orders": 2, "prices": 2})
        self.state = WorkerState.RUNNING
        self.partitions: PartitionPlan | None = self.plan
        self.running = frozenset(self.plan.tasks)
        self.coming: frozenset[TaskId] = frozenset()
        self.states = {
            task: MemoryTaskState.open([store.spec for store in plan.subtopologies[task.subtopology].stores])
            for task in self.plan.tasks
        }

    def tasks(self) -> tuple[frozenset[TaskId], frozenset[TaskId]]:
        return self.running, self.coming

    def readers(self) -> Mapping[tuple[str, int], KeyValueReader | WindowReader]:
        return {
            (name, task.partition): store.reader()
            for task, state in self.states.items()
            if task in self.running
            for name, store in state.stores.items()
        }

    def reading(self) -> WorkerReading:
        return WorkerReading(
            application_id="shop", client_id="shop-1", state=self.state, tasks=self.tasks(), thread=None
        )

    def state_of(self, store: str, partition: int) -> MemoryTaskState:
        return next(
            state for task, state in self.states.items() if store in state.stores and task.partition == partition
        )


@pytest.fixture
def worker() -> Shop:
    worker = Shop()
    users = worker.state_of("users", 1)
    users.store("users").put((7).to_bytes(8, "big"), (User("Ada"), 1_000))  # type: ignore[call-arg]
    users.commit({}, {})
    return worker


@pytest.fixture
def server(worker: Shop) -> Iterator[QueryServer]:
    server = QueryServer(worker, host="127.0.0.1", port=0)
    server.start()
    yield server
    server.stop()


def get(server: QueryServer, path: str) -> tuple[int, Any]:
    """Status, and the body as JSON where it is."""
    try:
        with urllib.request.urlopen(f"http://{server.endpoint}{path}", timeout=10) as answer:
            status, body, kind = answer.status, answer.read(), answer.headers["content-type"]
    except urllib.error.HTTPError as error:
        with error:
            status, body, kind = error.code, error.read(), error.headers["content-type"]
    return status, msgspec.json.decode(body) if "json" in kind else body.decode()


def test_get_key_of_another_partition_is_found(server: QueryServer) -> None:
    """Which partition has a key depends on who wrote it; all that are here are asked."""
    assert get(server, "/stores/users/7") == (200, {"key": "7", "value": {"name": "Ada"}, "timestamp": 1_000})


def test_get_of_a_versioned_store_is_of_the_latest_version_or_of_a_time(worker: Shop, server: QueryServer) -> None:
    state = worker.state_of("prices", 0)
    for value, since in [(1, 1_000), (2, 2_000), (3, 2_500)]:
        state.store("prices").put(b"apple", value, since)  # type: ignore[call-arg, arg-type]
    state.store("prices").advance(2_500)  # type: ignore[union-attr]
    state.commit({}, {})
    assert get(server, "/stores/prices/apple") == (200, {"key": "apple", "value": 3, "timestamp": 2_500})
    assert get(server, "/stores/prices/apple?as_of=2499") == (200, {"key": "apple", "value": 2, "timestamp": 2_000})
    assert get(server, "/stores/prices/apple?as_of=1499")[0] == 404, "beyond the history"
    status, body = get(server, "/stores/users/7?as_of=1")
    assert (status, body["detail"]) == (400, "store 'users' is not versioned: leave out as_of")


def test_get_absent_key_is_404(server: QueryServer) -> None:
    status, body = get(server, "/stores/users/8")
    assert status == 404
    assert "users" in body["detail"]
    assert "8" in body["detail"]


def test_get_unknown_store_is_404_naming_those_there_are(server: QueryServer) -> None:
    status, body = get(server, "/stores/nothing/8")
    assert status == 404
    assert "hourly, prices, users" in body["detail"]


def test_get_key_that_is_none_is_400(server: QueryServer) -> None:
    status, body = get(server, "/stores/users/ada")
    assert status == 400
    assert "ada" in body["detail"]


def test_get_absent_key_while_tasks_are_coming_is_503(server: QueryServer, worker: Shop) -> None:
    """Not finding a key means nothing before all partitions are here; finding one does."""
    users = next(task for task in worker.plan.tasks if task.partition == 0 and "users" in worker.states[task].stores)
    worker.running, worker.coming = worker.running - {users}, frozenset({users})
    assert get(server, "/stores/users/8")[0] == 503
    assert get(server, "/stores/users/7")[0] == 200


def test_get_before_there_is_a_plan_is_503(server: QueryServer, worker: Shop) -> None:
    worker.partitions = None
    assert get(server, "/stores/users/7")[0] == 503
    assert get(server, "/stores")[0] == 503


def test_get_from_a_closed_task_is_503(server: QueryServer, worker: Shop) -> None:
    """The task left between the look-up and the read."""
    for state in worker.states.values():
        state.close()
    assert get(server, "/stores/users/7")[0] == 503


def test_fetch_windows_of_a_key_by_start(server: QueryServer, worker: Shop) -> None:
    from streams.testing import TopologyTestDriver

    with TopologyTestDriver(shop()) as driver:
        orders = driver.input_topic("orders")
        for hour, amount in enumerate((10.0, 20.0, 30.0)):
            orders.pipe(Order(1, amount), key="a/b c", timestamp=hour * 10 + hour * HOUR_MS)
        rows = dict(driver.raw_store("hourly").all())
    state = worker.state_of("hourly", 0)
    for (key, start), row in rows.items():
        state.store("hourly").put(key, start, row)  # type: ignore[call-arg, arg-type]
    state.commit({}, {})
    kept = [start for _, start in rows]
    status, windows = get(server, "/stores/hourly/a%2Fb%20c")
    assert status == 200
    assert [window["start"] for window in windows] == kept
    assert windows[-1] == {
        "key": "a/b c",
        "start": 2 * HOUR_MS,
        "end": 3 * HOUR_MS,
        "value": {"n": 1, "average": 30.0},
        "timestamp": 20 + 2 * HOUR_MS,
    }
    assert len(get(server, f"/stores/hourly/a%2Fb%20c?from={2 * HOUR_MS}")[1]) == 1
    assert get(server, f"/stores/hourly/a%2Fb%20c?to={kept[0] - 1}")[0] == 404


def test_fetch_window_parameters_on_a_key_value_store_are_400(server: QueryServer) -> None:
    assert get(server, "/stores/users/7?from=0")[0] == 400


def test_stores_lists_all_with_their_partitions(server: QueryServer) -> None:
    status, stores = get(server, "/stores")
    assert status == 200
    assert {(store["name"], store["kind"], tuple(store["partitions"])) for store in stores} == {
        ("users", "key_value", (0, 1)),
        ("hourly", "window", (0, 1)),
        ("prices", "versioned", (0, 1)),
    }


@pytest.mark.parametrize(
    ("state", "live", "ready"),
    [
        (WorkerState.RUNNING, 200, 200),
        (WorkerState.REBALANCING, 200, 503),
        (WorkerState.PENDING_SHUTDOWN, 200, 503),
        (WorkerState.ERROR, 503, 503),
    ],
)
def test_health_follows_the_workers_state(
    server: QueryServer, worker: Shop, state: WorkerState, live: int, ready: int
) -> None:
    worker.state = state
    assert (get(server, "/health/live")[0], get(server, "/health/ready")[0]) == (live, ready)


def test_metrics_are_prometheus_text(server: QueryServer, worker: Shop) -> None:
    status, text = get(server, "/metrics")
    assert status == 200
    assert f'headrace_tasks{{application_id="shop",client_id="shop-1",state="running"}} {len(worker.running)}.0' in text


def test_server_port_in_use_is_a_config_error(server: QueryServer, worker: Shop) -> None:
    assert server.endpoint is not None
    port = int(server.endpoint.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}.*another port"):
        QueryServer(worker, host="127.0.0.1", port=port).start()


def test_server_stopped_before_it_serves_ends(worker: Shop) -> None:
    server = QueryServer(worker, host="127.0.0.1", port=0)
    server.start()
    server.stop()
    server.stop()
